export { Admission, type AdmissionConfig, type Grant } from "./admission.ts";
export type { AdmissionRequest, Authorize } from "./admission-request.ts";
export { parseKey, readAuthorizedKeys } from "./authorized-keys.ts";
export { openEnrollmentFile, type EnrollmentFile } from "./enrollment-file.ts";
export { quarantineMs, type Enrollments } from "./enrollments.ts";
export { revokeKey } from "./keys.ts";
export { addBan, liftBan } from "./bans.ts";
export { addInvite, revokeInvite } from "./invites.ts";
export { namesOf, releaseName } from "./names.ts";
