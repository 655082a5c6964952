/** An error that is an HTTP answer: `status`, and a message that the caller may read. */
export class Failure extends Error {
  /**
   * @param {number} status
   * @param {string} message
   * @param {ErrorOptions & { headers?: Record<string, string> }} [options]
   */
  constructor(status, message, options = {}) {
    super(message, options);
    this.name = 'Failure';
    this.status = status;
    this.headers = options.headers ?? {};
  }
}
