export async function admin(_args: readonly string[]): Promise<number> {
  return 2;
}
