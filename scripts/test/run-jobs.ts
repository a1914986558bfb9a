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

/** Runs the jobs in their order, several at a time. */
export async function runJobs(jobs: readonly Job[], options: PoolOptions): Promise<JobResult[]> {
  const results: JobResult[] = [];
  const queue = jobs.values();
  await Promise.all(Array.from({ length: options.width }, work));
  return results;

  async function work(): Promise<void> {
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
