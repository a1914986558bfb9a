"""Keys whose private half is elsewhere: on a token, in a key store, in another program."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import inspect
import re
from typing import Any, Awaitable, Callable, Dict, Union

from .errors import PortholeError
from .types import IdentityRef, IdentityRefPublicKey, SignParams, SignResult

Sign = Callable[[bytes], Union[bytes, Awaitable[bytes]]]


class SigningIdentity:
    """A key that signs and is not given out. Its public half is the tunnel's name.

    `public_key` is SubjectPublicKeyInfo: PEM text, or DER. `sign` gets the bytes to sign, not their hash, and returns the
    signature, or a coroutine; a plain function runs in a thread of its own and may take a minute. ECDSA with P-256 or P-384
    signs with SHA-256, as DER or as r and s behind one another; Ed25519 as it is; RSA with PKCS #1 v1.5 padding and SHA-256.
    It is called at the first start and about twice a day. What it raises ends the first start with the code `signer`.
    """

    def __init__(self, public_key: Union[str, bytes], sign: Sign) -> None:
        self.spki = _der_of(public_key)
        self._sign = sign

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key, as it is pinned. The public name begins with its first 26 characters."""
        return base64.b32encode(hashlib.sha256(self.spki).digest()).decode().lower().rstrip("=")

    @property
    def ref(self) -> IdentityRefPublicKey:
        """The identity, as the contract has it."""
        return {"publicKey": base64.b64encode(self.spki).decode()}

    async def sign(self, data: bytes) -> bytes:
        if inspect.iscoroutinefunction(self._sign):
            signature: Any = await self._sign(data)
        else:
            signature = await asyncio.get_running_loop().run_in_executor(None, self._sign, data)
            if inspect.isawaitable(signature):
                signature = await signature
        if not isinstance(signature, (bytes, bytearray, memoryview)):
            raise PortholeError("signer", "sign returned no bytes")
        return bytes(signature)


Identity = Union[IdentityRef, SigningIdentity]


class Signers:
    """The keys that this program holds."""

    def __init__(self) -> None:
        self._by_fingerprint: Dict[str, SigningIdentity] = {}

    def hold(self, identity: Identity) -> IdentityRef:
        """Returns the identity as the contract has it."""
        if not isinstance(identity, SigningIdentity):
            return identity
        self._by_fingerprint[identity.fingerprint] = identity
        return identity.ref

    async def sign(self, params: SignParams) -> SignResult:
        identity = self._by_fingerprint.get(params["fingerprint"])
        if identity is None:
            raise PortholeError("signer", f"this program does not hold the key {params['clientId']}")
        signature = await identity.sign(base64.b64decode(params["data"]))
        return {"signature": base64.b64encode(signature).decode()}


def _der_of(public_key: Union[str, bytes]) -> bytes:
    if isinstance(public_key, bytes) and not public_key.startswith(b"-----"):
        return public_key
    text = public_key.decode("ascii", "replace") if isinstance(public_key, bytes) else public_key
    match = re.search(r"-----BEGIN PUBLIC KEY-----(.+?)-----END PUBLIC KEY-----", text, re.DOTALL)
    hint = "Give it as SubjectPublicKeyInfo: PEM with BEGIN PUBLIC KEY, or DER"
    if match is None:
        raise PortholeError("key", "public_key is not a public key", hint=hint)
    try:
        return base64.b64decode("".join(match.group(1).split()), validate=True)
    except (ValueError, binascii.Error) as cause:
        raise PortholeError("key", "public_key is not a public key", hint=hint) from cause
