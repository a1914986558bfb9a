import type { Job } from "./plan.ts";
import type { GroupResult } from "./run-group.ts";

export interface JobResult extends GroupResult {
  readonly job: Job;
  readonly durationMs: number;
}

export interface PoolOptions {
  /** How many jobs run at the same time. */
  readonly width: number;
  /** No job begins once it has aborted. */
  readonly signal: AbortSignal;
  readonly run: (job: Job) => Promise<GroupResult>;
  /** Called at the end of each job. */
  readonly onResult: (result: JobResult) => void;
}

/** Runs the jobs in their order, several at a time, and then one by one those that want to be alone. */
export async function runJobs(jobs: readonly Job[], options: PoolOptions): Promise<JobResult[]> {
  const results: JobResult[] = [];
  const together = jobs.filter(({ isAlone }) => !isAlone).values();
  await Promise.all(Array.from({ length: options.width }, () => work(together)));
  await work(jobs.filter(({ isAlone }) => isAlone).values());
  return results;

  async function work(queue: Iterable<Job>): Promise<void> {
    for (const job of queue) {
      if (options.signal.aborted) return;
      const start = performance.now();
      const outcome = await options.run(job);
      const result = { ...outcome, job, durationMs: performance.now() - start };
      results.push(result);
      options.onResult(result);
    }
  }
}
