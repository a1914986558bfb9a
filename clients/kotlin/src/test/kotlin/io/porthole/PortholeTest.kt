package io.porthole

import com.sun.net.httpserver.HttpServer
import java.net.InetSocketAddress
import java.net.Socket
import java.nio.file.Files
import java.nio.file.Path
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.MessageDigest
import java.security.spec.ECGenParameterSpec
import java.security.cert.X509Certificate
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import javax.net.ssl.SSLContext
import javax.net.ssl.SSLSocket
import javax.net.ssl.X509TrustManager
import kotlin.test.AfterTest
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.Serializable

private const val DEADLINE_MS = 90_000L

/** The programs of the checkout, which `test/rpc/kotlin.test.ts` names. */
@Serializable
private data class World(
    val command: List<String>,
    val relay: String,
    val fingerprint: String,
    /** Of a relay that lets nobody else in. */
    val invite: String,
    val invitingRelay: RelaySpec,
)

class PortholeTest {
    private val world = json.decodeFromString<World>(System.getenv("PORTHOLE_TEST"))
    private val daemon = world.command + listOf("daemon", "--stdio")
    private val relay = RelaySpec(address = world.relay, fingerprint = world.fingerprint)
    private val folder: Path = Files.createTempDirectory("porthole")
    private val service: HttpServer = HttpServer.create(InetSocketAddress("127.0.0.1", 0), 0).apply {
        createContext("/") { exchange ->
            val said = "${exchange.requestMethod} ${exchange.requestURI} ".toByteArray() + exchange.requestBody.readBytes()
            exchange.sendResponseHeaders(200, said.size.toLong())
            exchange.responseBody.use { it.write(said) }
        }
        start()
    }
    private val local get() = service.address.port.toString()
    private val http2: (TunnelStartParams) -> TunnelStartParams = { it.copy(transport = "h2") }

    @AfterTest
    fun end() {
        service.stop(0)
        folder.toFile().deleteRecursively()
    }

    private fun inTime(work: suspend CoroutineScope.() -> Unit) = runBlocking { withTimeout(DEADLINE_MS, work) }

    private fun withDaemon(work: suspend CoroutineScope.(Porthole) -> Unit) = inTime {
        Porthole.start(folder, daemon).use { work(it) }
    }

    @Test
    fun `exposes a port, waits for a request, and replays it`() = withDaemon { porthole ->
        val tunnel = porthole.expose(local, relay, options = http2)
        assertTrue(tunnel.url().startsWith("https://"), tunnel.url())
        assertEquals("POST /hook?a=1 paid", visit(tunnel, "POST", "/hook?a=1", "paid"))
        val request = tunnel.waitForRequest("method:POST path:/hook")
        assertEquals(200L, request.summary.status)
        assertEquals("paid", String(tunnel.body(request.summary.id)))
        val again = tunnel.replay(request.summary.id)
        assertEquals(request.summary.id, again.summary.replayOf)
        val edited = tunnel.replay(request.summary.id, ReplayEdit(target = "/other", body = ReplayEditBody(text = "ä")))
        assertEquals("POST /other ä", String(tunnel.body(edited.summary.id, "response")))
        assertEquals("timeout", assertFailsWith<PortholeException> { tunnel.waitForRequest(timeoutMs = 200) }.code)
        tunnel.stop()
        assertEquals("aborted", assertFailsWith<PortholeException> { tunnel.state() }.code)
    }

    @Test
    fun `collects requests, and uses a key of the caller's`() = withDaemon { porthole ->
        val made = porthole.connection.call<Empty, IdentityWithPem>("identity/create", Empty())
        val tunnel = porthole.expose(local, relay, identity = IdentityRef(pem = made.pem), options = http2)
        assertTrue(made.clientId in tunnel.url(), tunnel.url())
        val paths = async(start = CoroutineStart.UNDISPATCHED) { tunnel.requests().map { it.path }.take(2).toList() }
        for (path in listOf("/1", "/2?secret=1")) visit(tunnel, "GET", path)
        assertEquals(listOf("/1", "/2"), paths.await())
    }

    @Test
    fun `attaches to a client that runs, and leaves it running`() = inTime {
        val options = listOf("--server", world.relay, "--server-fingerprint", world.fingerprint, "--force-h2")
        val command = world.command + local + options + listOf("--state-dir", folder.toString())
        val client = ProcessBuilder(command).redirectErrorStream(true).start()
        try {
            val lines = client.inputStream.bufferedReader()
            CompletableFuture.supplyAsync { lines.lineSequence().first { it.startsWith("URL: ") } }.get(60, TimeUnit.SECONDS)
            repeat(2) {
                Porthole.attach(folder).use { porthole ->
                    val list = porthole.connection.call<Empty, TunnelListResult>("tunnel/list", Empty())
                    assertEquals(listOf("main"), list.tunnels.map { it.id })
                }
            }
            assertTrue(client.isAlive)
        } finally {
            client.destroy()
            if (!client.waitFor(30, TimeUnit.SECONDS)) client.destroyForcibly()
        }
        assertEquals("unavailable", assertFailsWith<PortholeException> { Porthole.attach(folder) }.code)
    }

    @Test
    fun `says what is wrong, and goes on`() = withDaemon { porthole ->
        val other = relay.copy(fingerprint = "a".repeat(52))
        suspend fun refused(code: String, expose: suspend () -> Tunnel) =
            assertEquals(code, assertFailsWith<PortholeException>(code) { expose() }.code)
        refused("usage") { porthole.expose("no port", relay) }
        refused("usage") { porthole.expose(local) }
        refused("untrusted") { porthole.expose(local, other) }
        refused("usage") { porthole.expose(local, relay, options = { it.copy(transport = "pigeon") }) }
        refused("timeout") { porthole.expose(local, relay, timeoutMs = 1) }
        assertEquals(emptyList<TunnelInfo>(), porthole.connection.call<Empty, TunnelListResult>("tunnel/list", Empty()).tunnels)
    }

    @Test
    fun `ends with a daemon that is none, or that dies`() = inTime {
        for ((code, command) in listOf(
            "unavailable" to listOf("/nowhere/porthole"),
            "closed" to listOf("true"),
            "protocol" to listOf("echo", "hello"),
        )) assertEquals(code, assertFailsWith<PortholeException> { Porthole.start(folder, command) }.code)
        val pid = folder.resolve("pid")
        val command = listOf("sh", "-c", "echo \$\$ >\"\$0\"; exec \"\$@\"", pid.toString()) + daemon
        Porthole.start(folder, command).use { porthole ->
            val tunnel = porthole.expose(local, relay, options = http2)
            val waiting = async { assertFailsWith<PortholeException> { tunnel.waitForRequest() } }
            ProcessHandle.of(Files.readString(pid).trim().toLong()).get().destroyForcibly()
            assertEquals("closed", waiting.await().code)
            assertEquals("closed", porthole.connection.closed().code)
            assertEquals("closed", assertFailsWith<PortholeException> { tunnel.url() }.code)
        }
    }

    @Test
    fun `exposes, receives and replays by a key of its own`() = inTime {
        val pair = ecKey()
        val asked = AtomicInteger()
        val key = SigningIdentity(pair.public) { data ->
            asked.incrementAndGet()
            SigningIdentity(pair.public, pair.private).signatureOf(data)
        }
        val owner = KeyPairGenerator.getInstance("Ed25519").generateKeyPair()
        Porthole.start(folder, daemon, ownerSigner = SigningIdentity(owner.public, owner.private)).use { porthole ->
            val tunnel = porthole.expose(local, relay, signer = key, options = http2)
            assertTrue(tunnel.url().startsWith("https://${key.fingerprint.take(26)}."), tunnel.url())
            assertEquals("POST /hook paid", visit(tunnel, "POST", "/hook", "paid"))
            val request = tunnel.waitForRequest("method:POST")
            val again = tunnel.replay(request.summary.id)
            assertEquals("POST /hook paid", String(tunnel.body(again.summary.id, "response")))
            val rsa = KeyPairGenerator.getInstance("RSA").apply { initialize(2048) }.generateKeyPair()
            val other = SigningIdentity(rsa.public, rsa.private)
            // The contract's own way: named first, and used by any request after that.
            porthole.provide(other)
            val second = porthole.expose(local, relay, name = "rsa", identity = other.ref, options = http2)
            assertEquals("GET / ", visit(second, "GET", "/"))
        }
        assertEquals(1, asked.get())
    }

    @Test
    fun `says why the key did not sign, and signs later`() = withDaemon { porthole ->
        val pair = ecKey()
        val other = ecKey()
        suspend fun expose(sign: suspend (ByteArray) -> ByteArray) =
            porthole.expose(local, relay, signer = SigningIdentity(pair.public, sign), options = http2)
        suspend fun refused(code: String, text: String, expose: suspend () -> Tunnel) {
            val error = assertFailsWith<PortholeException>(text) { expose() }
            assertEquals(code, error.code, error.message)
            assertTrue(text in error.message.orEmpty(), error.message)
        }
        refused("signer", "the PIN is wrong") { expose { error("the PIN is wrong") } }
        refused("signer", "NotImplementedError") { expose { throw NotImplementedError("") } }
        refused("signer", "does not hold") { porthole.expose(local, relay, identity = SigningIdentity(other.public, other.private).ref) }
        refused("key", "is not by the key") { expose { SigningIdentity(other.public, other.private).signatureOf(it) } }
        refused("key", "is not by the key") { expose { ByteArray(0) } }
        val asked = CompletableDeferred<Unit>()
        val released = CompletableDeferred<Unit>()
        val waiting = async {
            assertFailsWith<PortholeException> {
                expose {
                    asked.complete(Unit)
                    try { awaitCancellation() } finally { released.complete(Unit) }
                }
            }
        }
        asked.await()
        // A person who is asked holds nothing else up, and is left alone once the signature is not needed.
        porthole.connection.call<TunnelStopParams, Empty>("tunnel/stop", TunnelStopParams("program"))
        released.await()
        assertEquals("aborted", waiting.await().code)
        val tunnel = porthole.expose(local, relay, signer = SigningIdentity(pair.public, pair.private), options = http2)
        assertEquals("GET / ", visit(tunnel, "GET", "/"))
    }

    @Test
    fun `is let in by an invite, with a key of its own`() = withDaemon { porthole ->
        val pair = ecKey()
        val signer = SigningIdentity(pair.public, pair.private)
        val closed = assertFailsWith<PortholeException> { porthole.expose(local, world.invitingRelay, options = http2) }
        assertEquals("unauthorized", closed.code)
        assertEquals("usage", assertFailsWith<PortholeException> { porthole.expose(local, invite = "porthole://nonsense") }.code)
        repeat(2) {
            val tunnel = porthole.expose(local, invite = world.invite, name = "invited", signer = signer, options = http2)
            assertEquals("GET / ", visit(tunnel, "GET", "/"))
            tunnel.stop()
        }
    }

    private fun ecKey(): KeyPair =
        KeyPairGenerator.getInstance("EC").apply { initialize(ECGenParameterSpec("secp256r1")) }.generateKeyPair()

    /** Visits the tunnel, and trusts exactly the certificate that its state has. */
    private suspend fun visit(tunnel: Tunnel, method: String, path: String, body: String = ""): String {
        val endpoint = tunnel.state().endpoints.first()
        val (host, port) = endpoint.urls.first().removePrefix("https://").split(':')
        val pinned = endpoint.certificates.first().sha256.replace(":", "").lowercase()
        val context = SSLContext.getInstance("TLS").apply { init(null, arrayOf(Pinned(pinned)), null) }
        return withContext(Dispatchers.IO) {
            val plain = Socket("127.0.0.1", port.toInt())
            (context.socketFactory.createSocket(plain, host, port.toInt(), true) as SSLSocket).use { socket ->
                socket.soTimeout = 60_000
                val head = "$method $path HTTP/1.1\r\nHost: $host\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n"
                socket.outputStream.write((head + body).toByteArray())
                String(socket.inputStream.readBytes()).substringAfter("\r\n\r\n")
            }
        }
    }

    private class Pinned(private val sha256: String) : X509TrustManager {
        override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String) = error("not a server")

        override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String) {
            val digest = MessageDigest.getInstance("SHA-256").digest(chain[0].encoded)
            check(digest.joinToString("") { "%02x".format(it) } == sha256) { "another certificate" }
        }

        override fun getAcceptedIssuers(): Array<X509Certificate> = emptyArray()
    }
}
