/** A setting is missing or not one of its values: the service can't start. */
export class SettingError extends Error {}

/**
 * Reads a setting from the environment.
 * @param {string} name
 * @param {{ fallback?: string, allowed?: readonly string[] }} [options]
 * @throws SettingError
 */
export function setting(name, { fallback, allowed } = {}) {
  const value = process.env[name] || fallback;
  if (value === undefined) throw new SettingError(`${name} is not set`);
  if (allowed && !allowed.includes(value)) {
    throw new SettingError(`${name} is "${value}", allowed: ${allowed.join(', ')}`);
  }
  return value;
}

/**
 * Reads a whole number from the environment.
 * @param {string} name
 * @param {{ fallback: number, from: number, to: number }} options
 * @throws SettingError
 */
export function numberSetting(name, { fallback, from, to }) {
  const value = Number(process.env[name] || fallback);
  if (!Number.isInteger(value) || value < from || value > to) {
    throw new SettingError(
      `${name} is "${process.env[name]}", allowed: a whole number from ${from} to ${to}`,
    );
  }
  return value;
}
