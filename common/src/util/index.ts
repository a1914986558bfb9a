export { deadline, orAbort, withDeadline } from "./abort.ts";
export { Deadline } from "./deadline.ts";
export { AsyncQueue } from "./async-queue.ts";
export { Backoff } from "./backoff.ts";
export { longestTimerMs, sleep, systemClock, type Clock, type Timer } from "./clock.ts";
export { parseDurationMs } from "./duration.ts";
export { failed, ok, skipped, warning, type Finding } from "./finding.ts";
export { parseHex } from "./hex.ts";
export { isHeldBy, isLocked, lockFile, whileHeld, type FileLock, type Lock } from "./lock.ts";
export { LruCache } from "./lru-cache.ts";
export { sameSecret } from "./same-secret.ts";
export { Secret } from "./secret.ts";
export { visibleJson } from "./visible-json.ts";
export { faultText } from "./fault-text.ts";
export { formatBytes, formatDay, formatDuration, formatMinute } from "./format.ts";
export { dataFolder, homeFolder } from "./data-folder.ts";
export { endWithReader, lastingOutput } from "./standard-output.ts";
export { temporaryFolder } from "./temporary-folder.ts";
export {
  moveDamaged,
  createFileAtomic,
  makeFolder,
  readFileIfExists,
  readJson,
  stateError,
  writeFileAtomic,
  writeJson,
} from "./state-file.ts";
export { destroyOnTlsError, openSslReason } from "./tls-errors.ts";
export { splice, type SpliceEnd } from "./splice.ts";
export { TokenBucket } from "./token-bucket.ts";
export { watchNativeCalls } from "./native-calls.ts";
export { recordHangs, startWatchdog, type Successor } from "./watchdog.ts";
