/** A wait that can be called off. Calling `cancel` after it fired is harmless. */
export interface Timer {
  cancel(): void;
}

/** The sandbox's time: true timestamps, and waits that are `speed` times shorter than AWS documents them. */
export interface Clock {
  readonly speed: number;
  /** True time, in milliseconds since the epoch. */
  now(): number;
  /** Runs `action` after `ms` of AWS's time (`ms / speed` of true time). */
  after(ms: number, action: () => void): Timer;
  /** Resolves after `ms` of AWS's time; rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** @param speed how many times faster AWS's documented waits go by; 1 is AWS's own pace */
export function createClock(speed = 1): Clock {
  if (!(Number.isFinite(speed) && speed > 0)) throw new RangeError(`speed must be above 0, got ${speed}`);
  const after = (ms: number, action: () => void): Timer => {
    const handle = setTimeout(action, ms / speed);
    return { cancel: () => clearTimeout(handle) };
  };
  return { speed, now: () => Date.now(), after, sleep: (ms, signal) => sleep(after, ms, signal) };
}

function sleep(after: Clock['after'], ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const aborted = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = after(ms, () => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    });
    signal?.addEventListener('abort', aborted, { once: true });
  });
}
