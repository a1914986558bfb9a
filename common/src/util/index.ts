export { nodeVersionWarning } from "./node-version.ts";
export { deadline, orAbort, withDeadline } from "./abort.ts";
export { AsyncQueue } from "./async-queue.ts";
export { Backoff, type BackoffOptions } from "./backoff.ts";
export { sleep, systemClock, type Clock, type Timer } from "./clock.ts";
export type { ControlPlace } from "./control-place.ts";
export {
  askControlSocket,
  followControlSocket,
  openControlSocket,
  type ControlHandler,
  type ControlSocket,
  type ControlSocketOptions,
} from "./control-socket.ts";
export { lockFile, whileHeld, type Lock } from "./lock.ts";
export { Secret } from "./secret.ts";
export { visibleJson } from "./visible-json.ts";
export { formatBytes, formatDay, formatDuration, formatMinute } from "./format.ts";
export { dataFolder } from "./data-folder.ts";
export { temporaryFolder } from "./temporary-folder.ts";
export {
  createFileAtomic,
  makeFolder,
  readFileIfExists,
  readJson,
  stateError,
  writeFileAtomic,
  writeJson,
} from "./state-file.ts";
export { splice, type SpliceEnd } from "./splice.ts";
