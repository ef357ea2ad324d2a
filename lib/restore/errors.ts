/** A restore that cannot be planned: a whole sentence that says why, and what would do. It deliberately is one class for worlds and databases. */
export class RestoreError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RestoreError';
  }
}
