export { cachedCertificate } from "./cached-certificate.ts";
export { certificatePem, createCertificate, isSelfSigned, type Certificate } from "./certificate.ts";
export { clientId, clientIdOf, fingerprint, isClientId, parseFingerprint } from "./client-id.ts";
export { encryptKey, generateKey, loadOrCreateKey, parseGivenKey, parseKey, type IdentityKey } from "./key.ts";
export { proveKey, readKeyProof, type ProvenKey, type ProvenLink } from "./key-proof.ts";
export {
  checkGrant,
  delegate,
  formatGrant,
  grantText,
  maxDelegationMs,
  readDelegation,
  readGrant,
  type Owner,
} from "./delegation.ts";
export { readPeer, type PeerIdentity } from "./peer.ts";
export {
  algorithmOf,
  checkedSignature,
  readPublicKey,
  type PublicIdentity,
  type SignatureAlgorithm,
} from "./public-key.ts";
