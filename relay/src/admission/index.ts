export { Admission, type AdmissionConfig, type Grant } from "./admission.ts";
export type { AdmissionRequest, Authorize } from "./admission-request.ts";
export { parseKey, readAuthorizedKeys } from "./authorized-keys.ts";
export { openEnrollmentFile, type EnrollmentFile } from "./enrollment-file.ts";
export { revokeKey, type Enrollments } from "./enrollment-store.ts";
export { addInvite, revokeInvite } from "./invites.ts";
export { namesOf, quarantineMs, releaseName } from "./names.ts";
