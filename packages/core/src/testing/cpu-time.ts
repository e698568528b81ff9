/**
 * CPU milliseconds of this process that some work takes, user and system time of all its threads.
 * For limits: a machine that is busy with others makes work last longer, but hardly costs more.
 */
export async function cpuMilliseconds(work: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}
