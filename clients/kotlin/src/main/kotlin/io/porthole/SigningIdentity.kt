package io.porthole

import java.math.BigInteger
import java.security.MessageDigest
import java.security.PrivateKey
import java.security.PublicKey
import java.security.Signature
import java.util.Base64
import java.util.concurrent.ConcurrentHashMap

private const val BASE_32 = "abcdefghijklmnopqrstuvwxyz234567"
private const val FINGERPRINT_LENGTH = 52

/**
 * A key that signs and is not given out: in Android's key store, on a token, in another program. Its public half is the
 * tunnel's name. [sign] gets the bytes to sign, not their hash, at the first start and about twice a day; it may suspend or
 * block, and has a minute. ECDSA with P-256 or P-384 signs with SHA-256, as DER or as r and s behind one another; Ed25519
 * as it is; RSA with PKCS #1 v1.5 padding and SHA-256. What it throws ends the first start with the code `signer`.
 */
class SigningIdentity(publicKey: PublicKey, private val sign: suspend (ByteArray) -> ByteArray) {
    private val spki: ByteArray = publicKey.encoded
        ?: throw PortholeException("key", "The public key has no encoding", "Give the public half, as its certificate has it")

    /** Signs by `java.security.Signature`, as keys of `AndroidKeyStore` and PKCS #11 do. */
    constructor(publicKey: PublicKey, privateKey: PrivateKey) : this(publicKey, signingBy(privateKey))

    /** SHA-256 of the public key, as it is pinned. The public name begins with its first 26 characters. */
    val fingerprint: String = MessageDigest.getInstance("SHA-256").digest(spki).let { digest ->
        // 52 digits have 260 bits.
        val digits = BigInteger(1, digest).shiftLeft(4).toString(32).padStart(FINGERPRINT_LENGTH, '0')
        digits.map { BASE_32[it.digitToInt(32)] }.joinToString("")
    }

    /** The identity, as the contract has it. */
    val ref: IdentityRef get() = IdentityRef(publicKey = publicKey)

    internal val publicKey: String get() = Base64.getEncoder().encodeToString(spki)

    internal suspend fun signatureOf(data: ByteArray): ByteArray = sign(data)
}

/** The keys that this program holds. */
internal class Signers {
    private val byFingerprint = ConcurrentHashMap<String, SigningIdentity>()

    /** Returns the identity as the contract has it. */
    fun hold(identity: SigningIdentity): IdentityRef {
        byFingerprint[identity.fingerprint] = identity
        return identity.ref
    }

    suspend fun sign(params: SignParams): SignResult {
        val identity = byFingerprint[params.fingerprint]
            ?: throw PortholeException("signer", "this program does not hold the key ${params.clientId}")
        val signature = identity.signatureOf(Base64.getDecoder().decode(params.data))
        return SignResult(Base64.getEncoder().encodeToString(signature))
    }
}

private fun signingBy(key: PrivateKey): suspend (ByteArray) -> ByteArray {
    val algorithm = when (key.algorithm) {
        "EC" -> "SHA256withECDSA"
        "RSA" -> "SHA256withRSA"
        "EdDSA", "Ed25519" -> "Ed25519"
        else -> throw PortholeException("key", "A key of the kind ${key.algorithm} can't be used", "Take ECDSA with P-256")
    }
    return { data ->
        Signature.getInstance(algorithm).run {
            initSign(key)
            update(data)
            sign()
        }
    }
}
