import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.crypto.SecretKey;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSessionContext;

/**
 * What JSSE does not tell: a session's ticket, whether a handshake resumes, and the secrets for the key log.
 *
 * <p>JSSE offers the session that its own cache holds for a host and port, once. So a session is offered by a copy, which
 * is put into the cache under a name that one connection alone uses.
 */
final class Inside {
    private static final List<String> OF_THE_COPY = List.of("childSessions", "sessionLock", "context");

    private Inside() {}

    private static Field field(Object of, String name) throws ReflectiveOperationException {
        for (Class<?> type = of.getClass(); type != null; type = type.getSuperclass()) {
            for (Field one : type.getDeclaredFields()) {
                if (one.getName().equals(name)) {
                    one.setAccessible(true);
                    return one;
                }
            }
        }
        throw new NoSuchFieldException(name + " of " + of.getClass().getName());
    }

    static Object get(Object of, String name) throws ReflectiveOperationException {
        return field(of, name).get(of);
    }

    /** A fresh object of the same session, whatever becomes of the first. */
    static SSLSession copy(SSLSession session) throws ReflectiveOperationException {
        Object id = get(session, "sessionId");
        Constructor<?> made = session.getClass().getDeclaredConstructor(session.getClass(), id.getClass());
        made.setAccessible(true);
        Object copy = made.newInstance(session, id);
        for (Field one : session.getClass().getDeclaredFields()) {
            if (!Modifier.isStatic(one.getModifiers()) && !OF_THE_COPY.contains(one.getName())) {
                one.setAccessible(true);
                one.set(copy, one.get(session));
            }
        }
        return (SSLSession) copy;
    }

    /**
     * Put a copy into a client's cache, where only an engine for this host and port finds it.
     *
     * <p>SSLSessionContextImpl.put would also file it by its id, which all copies of a session share. Then the engine
     * that offers one copy removes the one that was filed last (SSLSessionContextImpl.remove), and an engine that has
     * not begun yet finds no session.
     */
    static void offer(SSLSessionContext cache, SSLSession session, String host, int port)
            throws ReflectiveOperationException {
        SSLSession copy = copy(session);
        field(copy, "host").set(copy, host);
        field(copy, "port").set(copy, port);
        field(copy, "context").set(copy, cache);
        Method key = cache.getClass().getDeclaredMethod("getKey", String.class, int.class);
        key.setAccessible(true);
        Object byHost = get(cache, "sessionHostPortCache");
        Method put = byHost.getClass().getSuperclass().getMethod("put", Object.class, Object.class);
        put.setAccessible(true);
        put.invoke(byHost, key.invoke(null, host, port), copy);
    }

    static void setStateless(SSLSessionContext cache, boolean stateless) throws ReflectiveOperationException {
        field(cache, "statelessSession").set(cache, stateless);
    }

    static byte[] ticket(SSLSession session) throws ReflectiveOperationException {
        return (byte[]) get(session, "pskIdentity");
    }

    static Object ageAdd(SSLSession session) throws ReflectiveOperationException {
        return Integer.toUnsignedLong((Integer) get(session, "ticketAgeAdd"));
    }

    /** The state of the handshake that runs now; null between handshakes. */
    static Object handshake(SSLEngine engine) throws ReflectiveOperationException {
        return get(get(engine, "conContext"), "handshakeContext");
    }

    static boolean resumes(Object handshake) throws ReflectiveOperationException {
        return (Boolean) get(handshake, "isResumption");
    }

    /** Keep the secrets that a TLS 1.3 client has now: of the handshake first, of the application data then. */
    static void secrets(Object handshake, Map<String, Object> into) throws ReflectiveOperationException {
        String[][] labels = {
            {"baseReadSecret", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0"},
            {"baseWriteSecret", "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0"},
        };
        for (String[] one : labels) {
            Object secret = get(handshake, one[0]);
            if (secret != null && !into.containsValue(secret) && !into.containsKey(one[2])) {
                into.put(into.containsKey(one[1]) ? one[2] : one[1], secret);
            }
        }
    }

    static List<String> keyLog(Object handshake, SSLSession session, Map<String, Object> secrets)
            throws ReflectiveOperationException {
        Object hello = get(handshake, "clientHelloRandom");
        if (hello == null) {
            return List.of();
        }
        String random = hex((byte[]) get(hello, "randomBytes"));
        Map<String, Object> known = new LinkedHashMap<>(secrets);
        if (session != null && session.getProtocol().equals("TLSv1.2")) {
            known.put("CLIENT_RANDOM", get(session, "masterSecret"));
        }
        return known.entrySet().stream()
            .map(one -> one.getKey() + " " + random + " " + hex(((SecretKey) one.getValue()).getEncoded()))
            .toList();
    }

    static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
