export type { CertificateState, ServedCertificate } from "./certificate-state.ts";
export { answerChallenge, Challenges } from "./challenges.ts";
export { CertificateKeeper } from "./keep-certificate.ts";
export { filePermits, type PermitOffice } from "./permit-office.ts";
export { permitLimits, type PermitLimits } from "./permits.ts";
export { problemOf } from "./problem.ts";
export { selfTest } from "./self-test.ts";
export { createKeeper, directoryUrlOf, type AcmeNetwork, type AcmeSettings } from "./settings.ts";
export type { ProxyTo } from "./transport.ts";
