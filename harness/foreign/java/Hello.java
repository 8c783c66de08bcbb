import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What JSSE can do and what it cannot, with the reasons. */
final class Hello {
    static final String NO_COUNTERS = "JSSE has no counters of sessions";
    static final String NO_EARLY_DATA = "JSSE has no early data";
    static final String NO_RENEGOTIATION = "this agent does not renegotiate";
    static final String OWN_FORMAT = "JSSE exports no session";
    static final String NO_ID = "JSSE makes its session ids itself";
    static final String NO_SECRETS = "a server of JSSE has overwritten its handshake secret before the agent can read it";
    static final Map<String, String> LACKS = Map.of(
        "counters", NO_COUNTERS,
        "flush", "JSSE removes sessions that have expired itself",
        "resize_cache", "this agent does not resize the cache",
        "remove", "this agent removes no session",
        "has_session", "this agent does not look into the cache",
        "age_sessions", "JSSE gives no access to the time in a ticket",
        "renegotiate", NO_RENEGOTIATION,
        "early_data", NO_EARLY_DATA,
        "keep_session", "the agent offers a copy of a session each time"
    );

    private Hello() {}

    private static Map<String, Object> capabilities(String role) {
        Map<String, Object> found = new TreeMap<>();
        for (String name : List.of("session copy", "every ticket", "peer chain", "concurrent",
                "close client-only", "close server-only", "session id")) {
            found.put(name, null);
        }
        found.put("key log", role.equals("client") ? null : NO_SECRETS);
        found.put("clock", "libfaketime is not made for the threads of a JVM, which it ends or stalls");
        found.put("session fields", "JSSE does not keep the lifetime that a server gives to a ticket");
        found.put("session data", OWN_FORMAT);
        found.put("session import", OWN_FORMAT);
        found.put("session before ticket", "JSSE has a session of TLS 1.3 when its ticket arrives");
        found.put("session in memory", LACKS.get("keep_session"));
        found.put("new-session callback", "JSSE has no new-session callback");
        found.put("server name", "JSSE tells the name of the session");
        found.put("negotiated group", "JSSE does not tell the group of a key exchange");
        found.put("exporter", "JSSE exports keying material since JDK 25 only");
        found.put("is_resumable", "JSSE does not say whether a session can be resumed");
        found.put("counters", NO_COUNTERS);
        found.put("running counters", NO_COUNTERS);
        found.put("flush", LACKS.get("flush"));
        found.put("resize cache", LACKS.get("resize_cache"));
        found.put("remove session", LACKS.get("remove"));
        found.put("matching session id", LACKS.get("has_session"));
        found.put("age server session", LACKS.get("age_sessions"));
        found.put("renegotiation", NO_RENEGOTIATION);
        found.put("abbreviated renegotiation", NO_RENEGOTIATION);
        found.put("early data", NO_EARLY_DATA);
        found.put("early data content", NO_EARLY_DATA);
        return found;
    }

    /** The knobs of a role: null for every value, the only values, or why it cannot be set. */
    static Map<String, Object> knobs(String role) {
        Map<String, Object> found = new TreeMap<>();
        for (String name : List.of("tickets", "ciphers", "ciphersuites", "alpn", "timeout")) {
            found.put(name, null);
        }
        found.put("versions", List.of(List.of("1.2"), List.of("1.3"), List.of("1.2", "1.3")));
        found.put("cache_mode", "JSSE has no cache modes");
        found.put("cache_size", "JSSE takes 0 for a cache without a limit");
        found.put("middlebox_compat", List.of(true));
        found.put("extended_master_secret", List.of(true));
        found.put("groups", "JSSE before JDK 20 sets groups for the whole process");
        found.put("psk_modes", List.of("psk_dhe_ke"));
        found.put("max_early_data", NO_EARLY_DATA);
        found.put("renegotiation", "JSSE refuses renegotiations for the whole process only");
        found.put("ignore_unexpected_eof", List.of(false));
        if (role.equals("client")) {
            found.put("verify", List.of("none", "required"));
            found.put("server_name", null);
            found.put("max_fragment_length", "this agent sets no size of packets");
        } else {
            found.put("verify", null);
            found.put("num_tickets", List.of(1));
            found.put("session_id_context", "JSSE has no session id context");
            found.put("session_id_prefix", NO_ID);
            found.put("session_id", NO_ID);
            found.put("ticket_keys", "JSSE makes the keys of its tickets itself");
            found.put("anti_replay", NO_EARLY_DATA);
            found.put("client_renegotiation", "JSSE refuses renegotiations for the whole process only");
            found.put("resumption_on_renegotiation", NO_RENEGOTIATION);
        }
        return found;
    }

    static Map<String, Object> reply() {
        Map<String, Object> found = new LinkedHashMap<>();
        String version = System.getProperty("java.version");
        found.put("protocol", 2);
        found.put("library", "java");
        found.put("version", version);
        found.put("description", "JSSE of " + System.getProperty("java.vm.name") + " " + version);
        found.put("pid", ProcessHandle.current().pid());
        found.put("lacks", LACKS);
        found.put("family", "java");
        found.put("roles", List.of("client", "server"));
        found.put("knobs", Map.of("client", knobs("client"), "server", knobs("server")));
        found.put("capabilities", Map.of("client", capabilities("client"), "server", capabilities("server")));
        found.put("defaults", Map.of(
            "tickets", 1,
            "tickets_after_resumption", 1,
            "lifetime", Map.of("1.2", 86400, "1.3", 86400),
            "timeout", Map.of("client", 86400, "server", 86400),
            "key_name", 4,
            "least_hint", 1
        ));
        return found;
    }
}
