import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import javax.net.ssl.SSLSession;

/** Drives JSSE for resumption-harness: JSON lines on stdin and stdout (harness/agent/PROTOCOL.md). */
public final class Agent {
    private static final int LONGEST = 16777216;
    private static final int BACKLOG = 512;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.-]{1,64}");
    private static final Map<String, Map<String, String>> VERBS = new TreeMap<>();

    static {
        String[] rows = {
            "hello", "context as:name role:role knobs:object? files:object?", "free_context context:name",
            "counters context:name", "flush context:name at:integer", "resize_cache context:name size:integer",
            "remove context:name session_id:bytes", "age_sessions context:name seconds:integer",
            "has_session context:name session_id:bytes", "listen context:name as:name",
            "connect context:name as:name port:integer session:object?", "accept listener:name as:name",
            "unlisten listener:name", "handshake connection:name", "write connection:name data:bytes",
            "early_data connection:name data:bytes", "read_line connection:name",
            "renegotiate connection:name abbreviated:boolean?", "session connection:name", "sessions connection:name",
            "keep_session connection:name", "shutdown connection:name", "await_end connection:name",
            "release connection:name",
        };
        for (String row : rows) {
            String[] words = row.split(" ");
            Map<String, String> fields = new TreeMap<>();
            for (int at = 1; at < words.length; at++) {
                fields.put(words[at].split(":")[0], words[at].split(":")[1]);
            }
            VERBS.put(words[0], fields);
        }
    }

    /** A socket that listens, and who waits for its next connection. */
    private record Listener(Context context, ServerSocket socket, BlockingQueue<CompletableFuture<Socket>> waiting) {}

    private record Kept(Context context, SSLSession session) {}

    private final PrintStream replies;
    private final AtomicLong numbers = new AtomicLong();
    private final Map<String, Context> contexts = new HashMap<>();
    private final Map<String, Listener> listeners = new HashMap<>();
    private final Map<String, Connection> connections = new ConcurrentHashMap<>();
    private final Map<String, Kept> kept = new ConcurrentHashMap<>();

    private Agent(PrintStream replies) {
        this.replies = replies;
    }

    /** Serve requests until stdin ends. */
    public static void main(String[] words) throws IOException {
        PrintStream replies = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        System.setOut(System.err);
        Agent agent = new Agent(replies);
        InputStream input = new BufferedInputStream(System.in, 1 << 16);
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int one = input.read(); one >= 0; one = input.read()) {
            if (one != '\n') {
                if (line.size() <= LONGEST) {
                    line.write(one);
                }
                continue;
            }
            agent.serve(line.size() > LONGEST ? null : line.toString(StandardCharsets.UTF_8));
            line.reset();
        }
        Runtime.getRuntime().halt(0);
    }

    void succeed(Object id, Map<String, Object> found) {
        reply(id, "ok", found);
    }

    void fail(Object id, Failure error) {
        reply(id, "error", error.reply());
    }

    private void reply(Object id, String member, Object found) {
        Map<String, Object> whole = new LinkedHashMap<>();
        whole.put("id", id);
        whole.put(member, found);
        byte[] line = (Json.write(whole) + "\n").getBytes(StandardCharsets.UTF_8);
        synchronized (replies) {
            replies.write(line, 0, line.length);
            replies.flush();
        }
    }

    long number() {
        return numbers.incrementAndGet();
    }

    String keep(Context context, SSLSession session) {
        String handle = "session-" + number();
        kept.put(handle, new Kept(context, session));
        return handle;
    }

    void forget(String name, Connection connection) {
        connections.remove(name, connection);
    }

    private void serve(String line) {
        Object id = null;
        try {
            Map<String, Object> request = parsed(line);
            if (!(request.get("id") instanceof Long)) {
                throw Failure.usage("id must be an integer");
            }
            id = request.get("id");
            check(request);
            Map<String, Object> found = carryOut(request);
            if (found != null) {
                succeed(id, found);
            }
        } catch (Failure error) {
            fail(id, error);
        } catch (IOException | RuntimeException error) {
            fail(id, Failure.internal(error));
        }
    }

    @SuppressWarnings("unchecked") // the keys of a JSON object are strings
    private static Map<String, Object> object(Object value) {
        return value == null ? Map.of() : (Map<String, Object>) value;
    }

    private static Map<String, Object> parsed(String line) throws Failure {
        if (line == null) {
            throw Failure.usage("a line has at most " + LONGEST + " bytes");
        }
        try {
            if (Json.read(line) instanceof Map<?, ?> found) {
                return object(found);
            }
        } catch (IllegalArgumentException | StringIndexOutOfBoundsException error) {
            throw Failure.usage("a request is one JSON object: " + error.getMessage());
        }
        throw Failure.usage("a request is one JSON object");
    }

    private static void check(Map<String, Object> request) throws Failure {
        Object verb = request.get("verb");
        Map<String, String> row = verb instanceof String ? VERBS.get(verb) : null;
        if (row == null) {
            throw Failure.usage("unknown verb " + verb + "; there are: " + VERBS.keySet());
        }
        for (String field : request.keySet()) {
            if (!row.containsKey(field) && !field.equals("id") && !field.equals("verb")) {
                throw Failure.usage(verb + " has no field " + field + "; it has: " + row.keySet());
            }
        }
        for (Map.Entry<String, String> one : row.entrySet()) {
            String kind = one.getValue();
            Object value = request.get(one.getKey());
            if (!(value == null ? kind.endsWith("?") : fits(value, kind.replace("?", "")))) {
                throw Failure.usage(one.getKey() + " of " + verb + " must be of type " + kind);
            }
        }
    }

    private static boolean fits(Object value, String kind) {
        switch (kind) {
            case "name":
                return value instanceof String text && NAME.matcher(text).matches();
            case "role":
                return value.equals("client") || value.equals("server");
            case "bytes":
                return value instanceof String text && text.matches("([0-9A-Fa-f]{2})*");
            case "integer":
                return value instanceof Long;
            case "boolean":
                return value instanceof Boolean;
            default:
                return value instanceof Map;
        }
    }

    private static <T> T known(Map<String, T> objects, Object name, String what) throws Failure {
        T found = objects.get(name);
        if (found == null) {
            throw Failure.usage("no " + what + " " + name + "; there are: " + objects.keySet());
        }
        return found;
    }

    private static String unused(Map<String, ?> objects, Object name, String what) throws Failure {
        if (objects.containsKey(name)) {
            throw Failure.usage("there is already a " + what + " " + name + "; choose another name");
        }
        return (String) name;
    }

    private Map<String, Object> carryOut(Map<String, Object> request) throws Failure, IOException {
        String verb = (String) request.get("verb");
        if (request.containsKey("connection")) {
            known(connections, request.get("connection"), "connection").requests.add(request);
            return null;
        }
        switch (verb) {
            case "hello":
                return Hello.reply();
            case "context":
                String name = unused(contexts, request.get("as"), "context");
                Map<String, Object> files = new TreeMap<>(object(request.get("files")));
                contexts.put(name, new Context((String) request.get("role"), object(request.get("knobs")), files));
                return Map.of();
            case "accept":
                Listener from = known(listeners, request.get("listener"), "listener");
                CompletableFuture<Socket> next = new CompletableFuture<>();
                open(request, from.context(), null, next::get);
                from.waiting().add(next);
                return null;
            case "unlisten":
                close((String) request.get("listener"), known(listeners, request.get("listener"), "listener"));
                return Map.of();
            default:
        }
        Context context = known(contexts, request.get("context"), "context");
        switch (verb) {
            case "free_context":
                free((String) request.get("context"), context);
                return Map.of();
            case "listen":
                return listen(unused(listeners, request.get("as"), "listener"), context);
            case "connect":
                connect(request, context);
                return null;
            default:
                throw Failure.lack(verb + ": " + Hello.LACKS.get(verb));
        }
    }

    private Map<String, Object> listen(String name, Context context) throws IOException {
        ServerSocket socket = new ServerSocket(0, BACKLOG, InetAddress.getByName("127.0.0.1"));
        Listener made = new Listener(context, socket, new LinkedBlockingQueue<>());
        listeners.put(name, made);
        begin(() -> accept(made));
        return Map.of("port", socket.getLocalPort());
    }

    /** Give each connection to who waits for it, in order; null once the listener is closed. */
    private static void accept(Listener from) {
        while (true) {
            CompletableFuture<Socket> next = null;
            try {
                next = from.waiting().take();
                next.complete(from.socket().accept());
            } catch (IOException closed) {
                next.complete(null);
                CompletableFuture<Socket> other;
                while ((other = from.waiting().poll()) != null) {
                    other.complete(null);
                }
                return;
            } catch (InterruptedException stopped) {
                return;
            }
        }
    }

    private void close(String name, Listener listener) throws IOException {
        listeners.remove(name);
        listener.socket().close();
        listener.waiting().add(new CompletableFuture<>()); // wakes the thread, which finds the socket closed
    }

    private void free(String name, Context context) throws IOException {
        for (Map.Entry<String, Listener> one : Map.copyOf(listeners).entrySet()) {
            if (one.getValue().context() == context) {
                close(one.getKey(), one.getValue());
            }
        }
        for (Map.Entry<String, Connection> one : Map.copyOf(connections).entrySet()) {
            if (one.getValue().context == context) {
                connections.remove(one.getKey());
                one.getValue().drop();
            }
        }
        kept.values().removeIf(one -> one.context() == context);
        contexts.remove(name);
    }

    private void connect(Map<String, Object> request, Context context) throws Failure {
        Map<String, Object> session = object(request.get("session"));
        SSLSession offered = null;
        if (!session.isEmpty()) {
            if (!(session.get("handle") instanceof String handle)) {
                throw Failure.lack("session import: " + Hello.OWN_FORMAT);
            }
            Kept found = kept.get(handle);
            if (found == null) {
                throw Failure.lack("session import: " + handle + " was freed with its context");
            }
            offered = found.session();
        }
        Socket socket = null;
        IOException failed = null;
        try { // here, so that connects are made in the order of their requests
            socket = new Socket(InetAddress.getByName("127.0.0.1"), ((Long) request.get("port")).intValue());
        } catch (IOException error) {
            failed = error;
        }
        Socket connected = socket;
        IOException refused = failed;
        open(request, context, offered, () -> {
            if (refused != null) {
                throw refused;
            }
            return connected;
        });
    }

    private void open(Map<String, Object> request, Context context, SSLSession offered, Callable<Socket> socket)
            throws Failure {
        String name = unused(connections, request.get("as"), "connection");
        Connection made = new Connection(this, context, name, offered);
        connections.put(name, made);
        begin(() -> made.run(request.get("id"), socket));
    }

    private static void begin(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        thread.start();
    }
}
