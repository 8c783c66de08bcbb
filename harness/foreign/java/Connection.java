import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.Certificate;
import java.security.cert.CertificateEncodingException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/** One connection: an SSLEngine on a socket, with a thread that carries out its requests in order. */
final class Connection {
    private static final Set<String> AT_ANY_TIME = Set.of("session", "sessions", "keep_session", "release");
    private static final int PORT = 443;
    private static final int HANDSHAKE = 22;
    private static final int SERVER_HELLO = 2;
    private static final int TYPE_AT = 5;
    private static final int ID_AT = TYPE_AT + 4 + 2 + 32;

    final BlockingQueue<Map<String, Object>> requests = new LinkedBlockingQueue<>();
    final Context context;
    private final Agent agent;
    private final String name;
    private final SSLSession offered;
    private volatile Socket socket;
    private volatile boolean dropped;
    private SSLEngine engine;
    private Object handshake;
    private boolean reused;
    private boolean finished;
    private boolean serverGaveId;
    private Failure failed;
    private String ending;
    private ByteBuffer received = ByteBuffer.allocate(1 << 16);
    private byte[] unread = new byte[0];
    private final Map<String, Object> secrets = new LinkedHashMap<>();
    private final List<Map<String, Object>> errors = new ArrayList<>();
    private final Set<String> known = new HashSet<>();
    private final List<Map<String, Object>> sessions = new ArrayList<>();

    Connection(Agent agent, Context context, String name, SSLSession offered) {
        this.agent = agent;
        this.context = context;
        this.name = name;
        this.offered = offered;
    }

    void drop() {
        dropped = true;
        close();
        requests.add(Map.of());
    }

    /** Open the connection, and carry out requests until it is released. */
    void run(Object id, Callable<Socket> open) {
        try {
            begin(open);
            agent.succeed(id, Map.of());
        } catch (Failure error) {
            failed = error;
            agent.fail(id, error);
        }
        while (true) {
            Map<String, Object> request;
            try {
                request = requests.take();
            } catch (InterruptedException stopped) {
                return;
            }
            if (request.isEmpty()) {
                return;
            }
            String verb = (String) request.get("verb");
            try {
                Map<String, Object> found = carryOut(verb, request);
                if (dropped) {
                    throw Failure.usage("the context of " + name + " was freed");
                }
                agent.succeed(request.get("id"), found);
            } catch (Failure error) {
                agent.fail(request.get("id"), dropped ? Failure.usage("the context of " + name + " was freed") : error);
            } catch (ReflectiveOperationException | RuntimeException error) {
                agent.fail(request.get("id"), Failure.internal(error));
            }
            if (verb.equals("release")) {
                return;
            }
        }
    }

    private void begin(Callable<Socket> open) throws Failure {
        try {
            socket = open.call();
            if (socket == null) {
                throw Failure.usage("the listener was closed");
            }
            socket.setTcpNoDelay(true);
            String host = name + "-" + agent.number() + ".invalid";
            if (offered != null) {
                Inside.offer(context.cache(), offered, host, PORT);
            }
            for (byte[] one : Collections.list(context.cache().getIds())) {
                known.add(Inside.hex(one));
            }
            engine = context.engine(host, PORT);
        } catch (Failure error) {
            throw error;
        } catch (IOException error) {
            throw Failure.end("reset", error.toString(), false);
        } catch (Exception error) {
            throw Failure.internal(error);
        }
    }

    private Map<String, Object> carryOut(String verb, Map<String, Object> request)
            throws Failure, ReflectiveOperationException {
        if (Hello.LACKS.containsKey(verb)) {
            throw Failure.lack(verb + ": " + Hello.LACKS.get(verb));
        }
        if (failed != null && !AT_ANY_TIME.contains(verb)) {
            throw failed;
        }
        switch (verb) {
            case "handshake":
                shake();
                return Map.of();
            case "session":
                Map<String, Object> found = new LinkedHashMap<>();
                found.put("session", sessions.isEmpty() ? null : sessions.get(sessions.size() - 1));
                return found;
            case "sessions":
                return Map.of("sessions", List.copyOf(sessions));
            case "release":
                return release();
            default:
        }
        if (!finished) {
            throw Failure.usage(verb + " is allowed after a completed handshake");
        }
        switch (verb) {
            case "write":
                write(HexFormat.of().parseHex((String) request.get("data")));
                return Map.of();
            case "read_line":
                return readLine();
            case "shutdown":
                shutdown();
                return Map.of();
            default:
                while (ending == null) {
                    read();
                    unread = new byte[0];
                }
                unread = new byte[0];
                return Map.of("ending", ending);
        }
    }

    private void shake() throws Failure, ReflectiveOperationException {
        try {
            engine.beginHandshake();
            proceed();
            finished = true;
        } catch (SSLException error) {
            failed = broken(error);
        } catch (IOException error) {
            failed = Failure.end("reset", error.toString(), false);
        }
        if (failed == null && !finished) {
            failed = Failure.end(ending == null ? "eof" : ending, "the input ended in the handshake", false);
        }
        if (failed != null) {
            throw failed;
        }
        look();
    }

    /** Do what the handshake asks for, until it asks for nothing or the input ends. */
    private void proceed() throws IOException, ReflectiveOperationException {
        while (true) {
            sample();
            HandshakeStatus status = engine.getHandshakeStatus();
            switch (status) {
                case NEED_TASK:
                    for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
                        task.run();
                    }
                    break;
                case NEED_WRAP:
                    wrap(ByteBuffer.allocate(0));
                    break;
                case NEED_UNWRAP:
                case NEED_UNWRAP_AGAIN:
                    unwrap();
                    if (ending != null) {
                        throw new SSLException("the input ended in the handshake: " + ending);
                    }
                    break;
                default:
                    return;
            }
        }
    }

    private void sample() throws ReflectiveOperationException {
        Object now = Inside.handshake(engine);
        if (now != null && !finished) {
            handshake = now;
        }
        if (handshake != null && !finished) {
            reused = Inside.resumes(handshake);
            if (context.isClient()) {
                Inside.secrets(handshake, secrets);
            }
        }
    }

    /** The failure of a call; what JSSE has left to send, its alert, is sent. */
    private Failure broken(SSLException error) {
        try {
            while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP && !engine.isOutboundDone()) {
                wrap(ByteBuffer.allocate(0));
            }
        } catch (IOException other) {
            // the alert cannot be sent any more
        }
        String message = String.valueOf(error.getMessage());
        if (ending == null && error.getCause() instanceof IOException) {
            ending = "reset";
        }
        if (ending != null) {
            return Failure.end(ending, message, false);
        }
        errors.add(Failure.entry(message));
        boolean alert = message.contains("Received fatal alert"); // newer ones put its name before it, in brackets
        if (alert && finished) {
            ending = "alert";
            return Failure.end("alert", message, true);
        }
        return Failure.tls(message);
    }

    private int wrap(ByteBuffer data) throws IOException {
        ByteBuffer out = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        SSLEngineResult result = engine.wrap(data, out);
        if (out.position() > 0) {
            socket.getOutputStream().write(out.array(), 0, out.position());
        }
        if (result.getStatus() == SSLEngineResult.Status.CLOSED && result.bytesProduced() == 0) {
            return -1;
        }
        return result.bytesConsumed();
    }

    /** Take in a record, or read more of one; afterwards the input may have ended, which ``ending`` says. */
    private void unwrap() throws IOException, ReflectiveOperationException {
        ByteBuffer out = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
        received.flip();
        SSLEngineResult result;
        try {
            result = engine.unwrap(received, out);
        } finally {
            received.compact();
        }
        if (out.position() > 0) {
            int before = unread.length;
            unread = Arrays.copyOf(unread, before + out.position());
            System.arraycopy(out.array(), 0, unread, before, out.position());
        }
        switch (result.getStatus()) {
            case BUFFER_UNDERFLOW:
                fill();
                break;
            case CLOSED:
                ending = "close_notify";
                break;
            default:
                sample();
        }
    }

    private void fill() throws IOException {
        if (received.remaining() == 0) {
            received.flip();
            received = ByteBuffer.allocate(2 * received.capacity()).put(received);
        }
        int count;
        try {
            count = socket.getInputStream().read(received.array(), received.position(), received.remaining());
        } catch (IOException error) {
            ending = dropped ? "eof" : "reset";
            return;
        }
        if (count < 0) {
            ending = "eof";
            return;
        }
        received.position(received.position() + count);
        if (context.isClient() && !finished && received.get(0) == HANDSHAKE && received.get(TYPE_AT) == SERVER_HELLO) {
            serverGaveId = received.get(ID_AT) > 0;
        }
    }

    private void read() throws Failure, ReflectiveOperationException {
        int before = unread.length;
        try {
            while (ending == null && unread.length == before) {
                unwrap();
                look();
                if (ending == null && engine.getHandshakeStatus() != HandshakeStatus.NOT_HANDSHAKING) {
                    proceed();
                }
            }
        } catch (SSLException error) {
            Failure broken = broken(error);
            if (ending == null) {
                throw broken;
            }
        } catch (IOException error) {
            ending = "reset";
        }
    }

    private Map<String, Object> readLine() throws Failure, ReflectiveOperationException {
        while (true) {
            for (int at = 0; at < unread.length; at++) {
                if (unread[at] == '\n') {
                    return line(at + 1, null);
                }
            }
            if (ending != null) {
                return line(unread.length, ending);
            }
            read();
        }
    }

    private Map<String, Object> line(int length, String end) {
        Map<String, Object> found = new LinkedHashMap<>();
        found.put("data", Inside.hex(Arrays.copyOf(unread, length)));
        found.put("end", end);
        unread = Arrays.copyOfRange(unread, length, unread.length);
        return found;
    }

    private void write(byte[] data) throws Failure {
        ByteBuffer rest = ByteBuffer.wrap(data);
        try {
            while (rest.hasRemaining()) {
                if (wrap(rest) < 0) {
                    throw Failure.end(ending == null ? "close_notify" : ending, "JSSE writes nothing any more", false);
                }
            }
        } catch (SSLException error) {
            throw broken(error);
        } catch (IOException error) {
            throw Failure.end("reset", error.toString(), false);
        }
    }

    private void shutdown() throws Failure {
        engine.closeOutbound();
        try {
            while (!engine.isOutboundDone() && wrap(ByteBuffer.allocate(0)) >= 0) {
                // close_notify is sent
            }
        } catch (SSLException error) {
            throw broken(error);
        } catch (IOException error) {
            throw Failure.end("reset", error.toString(), false);
        }
    }

    /** Keep each session that a client has got: in TLS 1.3 each ticket's, which are new in the cache. */
    private void look() throws ReflectiveOperationException {
        if (!context.isClient() || !finished) {
            return;
        }
        SSLSession current = engine.getSession();
        if (current.getProtocol().equals("TLSv1.2")) {
            if (sessions.isEmpty()) {
                keep(current, "1.2");
            }
            return;
        }
        for (byte[] id : Collections.list(context.cache().getIds())) {
            SSLSession one = known.add(Inside.hex(id)) ? context.cache().getSession(id) : null;
            if (one != null && engine.getPeerHost().equals(one.getPeerHost())) {
                keep(one, "1.3");
            }
        }
    }

    private void keep(SSLSession session, String version) throws ReflectiveOperationException {
        byte[] ticket = Inside.ticket(session);
        if (ticket == null && !(version.equals("1.2") && serverGaveId)) {
            return; // JSSE makes an id where the server gives none, and in TLS 1.3 keeps a session before its tickets
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("version", version);
        if (version.equals("1.3")) {
            fields.put("age_add", Inside.ageAdd(session));
        } else if (ticket == null) { // beside a ticket the id is one that the client has made
            fields.put("session_id", Inside.hex(session.getId()));
        }
        fields.put("time", session.getCreationTime() / 1000);
        fields.put("timeout", context.cache().getSessionTimeout());
        fields.put("has_ticket", ticket != null);
        if (ticket != null) {
            fields.put("ticket", Inside.hex(ticket));
            fields.put("ticket_length", ticket.length);
        }
        Map<String, Object> made = new LinkedHashMap<>();
        made.put("der", null);
        made.put("handle", agent.keep(context, Inside.copy(session)));
        made.put("resumable", null);
        made.put("fields", fields);
        sessions.add(made);
    }

    private Map<String, Object> release() {
        Map<String, Object> facts = facts();
        try {
            if (socket != null) {
                while (socket.getInputStream().available() > 0) {
                    socket.getInputStream().skip(1 << 16);
                }
            }
        } catch (IOException gone) {
            // nothing is left to read
        }
        close();
        agent.forget(name, this);
        return Map.of("facts", facts);
    }

    private void close() {
        try {
            if (socket != null) {
                socket.close();
            }
        } catch (IOException gone) {
            // it is closed
        }
    }

    private Map<String, Object> facts() {
        Map<String, Object> facts = new LinkedHashMap<>();
        for (String one : List.of("reused", "reused_at_end", "version", "cipher", "alpn", "server_name",
                "peer_certificate", "early_data", "peer_chain", "tickets", "alerts", "counters")) {
            facts.put(one, null);
        }
        facts.put("finished", finished);
        facts.put("evidence", "");
        facts.put("errors", errors);
        facts.put("keylog", List.of());
        SSLSession session = finished ? engine.getSession() : null;
        try {
            if (handshake != null) {
                facts.put("keylog", Inside.keyLog(handshake, session, secrets));
            }
        } catch (ReflectiveOperationException unknown) {
            facts.put("evidence", unknown.toString());
        }
        if (session == null) {
            return facts;
        }
        facts.put("reused", reused);
        facts.put("reused_at_end", reused);
        facts.put("evidence", "HandshakeContext.isResumption == " + reused);
        facts.put("version", session.getProtocol().substring("TLSv".length()));
        facts.put("cipher", Suites.openSsl(session.getCipherSuite()));
        facts.put("early_data", "not_sent");
        String protocol = engine.getApplicationProtocol();
        facts.put("alpn", protocol == null || protocol.isEmpty() ? null : protocol);
        List<String> chain = chain(session);
        facts.put("peer_certificate", !chain.isEmpty());
        facts.put("peer_chain", chain);
        return facts;
    }

    private static List<String> chain(SSLSession session) {
        List<String> found = new ArrayList<>();
        try {
            for (Certificate one : session.getPeerCertificates()) {
                found.add(Inside.hex(MessageDigest.getInstance("SHA-256").digest(one.getEncoded())));
            }
        } catch (SSLPeerUnverifiedException none) {
            return found;
        } catch (CertificateEncodingException | NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
        return found;
    }
}
