/**
 * Asks until it is so: other processes take their time.
 *
 * @throws Error when it is not so within 20 seconds
 */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('it never came to that');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
