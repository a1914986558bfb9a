export { cachedCertificate, type CachedCertificateOptions } from "./cached-certificate.ts";
export {
  certificatePem,
  createCertificate,
  isSelfSigned,
  type Certificate,
  type CertificateExtension,
  type CertificateOptions,
} from "./certificate.ts";
export { clientId, clientIdOf, fingerprint, isClientId, parseFingerprint } from "./client-id.ts";
export type { KeyKind } from "./key-kind.ts";
export { encryptKey, generateKey, loadOrCreateKey, parseGivenKey, parseKey, type IdentityKey } from "./key.ts";
export { readDelegation, delegate, type Owner } from "./delegation.ts";
export { readPeer, type PeerIdentity } from "./peer.ts";
