import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A request that is answered with an error. */
final class Failure extends Exception {
    private static final long serialVersionUID = 1L;

    private final String kind;
    private final String end;
    private final boolean queued;

    private Failure(String kind, String message, String end, boolean queued) {
        super(message, null, false, false);
        this.kind = kind;
        this.end = end;
        this.queued = queued;
    }

    static Failure usage(String message) {
        return new Failure("usage", message, null, false);
    }

    static Failure lack(String message) {
        return new Failure("lack", message, null, false);
    }

    static Failure internal(Throwable error) {
        return new Failure("internal", error.toString(), null, false);
    }

    static Failure tls(String message) {
        return new Failure("tls", message, null, true);
    }

    static Failure end(String how, String message, boolean queued) {
        return new Failure("end", message, how, queued);
    }

    static Map<String, Object> entry(String message) {
        return Map.of("lib", 0, "reason", 0, "text", message);
    }

    Map<String, Object> reply() {
        Map<String, Object> found = new TreeMap<>(Map.of("kind", kind, "message", getMessage()));
        if (queued || end != null) {
            found.put("queue", queued ? List.of(entry(getMessage())) : List.of());
        }
        if (end != null) {
            found.put("end", end);
        }
        return found;
    }
}
