// Does the jobs of a ReadingThread, one after the other.
import { parentPort, workerData } from "node:worker_threads";
import { PortholeError } from "@porthole/common/errors";
import { read, type ReadingJob } from "./reading-jobs.ts";
import { Redactor } from "./redactor.ts";

const redactor = new Redactor((workerData as { readonly names: readonly string[] }).names);
const port = parentPort;

port?.on("message", ({ id, job }: { readonly id: number; readonly job: ReadingJob }) => {
  read(job, redactor).then(
    (result) => port.postMessage({ id, result }),
    (reason: unknown) => port.postMessage({ id, failure: PortholeError.from(reason).message }),
  );
});
