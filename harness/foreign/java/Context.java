import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/** An SSLContext in one role, with the settings of its engines. */
final class Context {
    private static final char[] NO_PASSWORD = new char[0];
    private static final Set<String> FILES = Set.of("ca", "certificate", "key");

    final String role;
    private final Map<String, Object> knobs;
    private final SSLContext context;

    Context(String role, Map<String, Object> knobs, Map<String, Object> files) throws Failure {
        this.role = role;
        this.knobs = knobs;
        check();
        try {
            context = SSLContext.getInstance("TLS");
            context.init(keys(files).getKeyManagers(), trusted(files), null);
            SSLSessionContext cache = cache();
            if (knobs.get("timeout") instanceof Long seconds) {
                cache.setSessionTimeout(seconds.intValue());
            }
            if (knobs.get("tickets") instanceof Boolean tickets) {
                Inside.setStateless(cache, tickets);
            }
            engine(null, -1);
        } catch (GeneralSecurityException | IOException | IllegalArgumentException error) {
            throw Failure.usage("the files or the knobs cannot be used: " + error);
        } catch (ReflectiveOperationException error) {
            throw Failure.lack("this JDK is not as the agent expects it: " + error);
        }
    }

    boolean isClient() {
        return role.equals("client");
    }

    SSLSessionContext cache() {
        return isClient() ? context.getClientSessionContext() : context.getServerSessionContext();
    }

    private void check() throws Failure {
        Map<String, Object> limits = Hello.knobs(role);
        for (Map.Entry<String, Object> one : knobs.entrySet()) {
            String name = one.getKey();
            if (!limits.containsKey(name)) {
                throw Failure.usage("unknown knob " + name + "; a " + role + " has: " + limits.keySet());
            }
            if (one.getValue() == null) {
                continue;
            }
            Object limit = limits.get(name);
            if (limit instanceof String why) {
                throw Failure.lack(name + ": " + why);
            }
            if (limit instanceof List<?> allowed && !Json.write(allowed).contains(Json.write(one.getValue()))) {
                throw Failure.lack(name + ": JSSE has only " + allowed);
            }
        }
        if (knobs.get("timeout") instanceof Long seconds && (seconds <= 0 || seconds > Integer.MAX_VALUE)) {
            throw Failure.lack("timeout: JSSE takes 1 to " + Integer.MAX_VALUE + " seconds, and 0 for no limit");
        }
    }

    private static KeyManagerFactory keys(Map<String, Object> files)
            throws GeneralSecurityException, IOException, Failure {
        if (!FILES.containsAll(files.keySet())) {
            throw Failure.usage("files are the paths of ca, certificate and key, not " + files.keySet());
        }
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, NO_PASSWORD);
        if (files.get("certificate") instanceof String certificate && files.get("key") instanceof String key) {
            store.setKeyEntry("own", readKey(key), NO_PASSWORD, readCertificates(certificate));
        }
        KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
        factory.init(store, NO_PASSWORD);
        return factory;
    }

    private static Certificate[] readCertificates(String path) throws GeneralSecurityException, IOException {
        try (ByteArrayInputStream text = new ByteArrayInputStream(Files.readAllBytes(Path.of(path)))) {
            return CertificateFactory.getInstance("X.509").generateCertificates(text).toArray(new Certificate[0]);
        }
    }

    private static PrivateKey readKey(String path) throws GeneralSecurityException, IOException, Failure {
        String text = Files.readString(Path.of(path));
        String kind = text.replaceFirst("(?s).*-----BEGIN (|EC |RSA )PRIVATE KEY-----.*", "$1").strip();
        byte[] key = Base64.getMimeDecoder().decode(
            text.replaceFirst("(?s).*-----BEGIN [A-Z ]*PRIVATE KEY-----([^-]*)-----END.*", "$1"));
        PKCS8EncodedKeySpec encoded = new PKCS8EncodedKeySpec(kind.isEmpty() ? key : Keys.inPkcs8(kind, key));
        for (String one : List.of("EC", "RSA", "RSASSA-PSS", "EdDSA")) {
            try {
                return KeyFactory.getInstance(one).generatePrivate(encoded);
            } catch (InvalidKeySpecException other) {
                // it is a key of another kind
            }
        }
        throw Failure.lack("this JDK knows no private key of the kind of " + Path.of(path).getFileName());
    }

    private TrustManager[] trusted(Map<String, Object> files) throws GeneralSecurityException, IOException {
        if (isClient() && !"required".equals(knobs.get("verify"))) {
            return new TrustManager[] {new Trusting()};
        }
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, NO_PASSWORD);
        if (files.get("ca") instanceof String path) {
            int number = 0;
            for (Certificate one : readCertificates(path)) {
                store.setCertificateEntry("authority " + number++, one);
            }
        }
        if (store.size() == 0) { // JSSE refuses to trust nobody
            return new TrustManager[0];
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        return factory.getTrustManagers();
    }

    /** A client that does not verify. */
    private static final class Trusting extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String kind, java.net.Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String kind, java.net.Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String kind, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String kind, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String kind) throws CertificateException {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String kind) throws CertificateException {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    /** An engine; a client finds its session by the host and port, which are sent nowhere. */
    SSLEngine engine(String host, int port) throws Failure {
        SSLEngine engine = isClient() ? context.createSSLEngine(host, port) : context.createSSLEngine();
        engine.setUseClientMode(isClient());
        if (!isClient()) {
            engine.setWantClientAuth("optional".equals(knobs.get("verify")));
            if ("required".equals(knobs.get("verify"))) {
                engine.setNeedClientAuth(true);
            }
        }
        if (knobs.get("versions") instanceof List<?> versions) {
            engine.setEnabledProtocols(versions.stream().map(one -> "TLSv" + one).toArray(String[]::new));
        } else {
            engine.setEnabledProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        }
        Suites.choose(engine, (String) knobs.get("ciphers"), (String) knobs.get("ciphersuites"));
        SSLParameters parameters = engine.getSSLParameters();
        if (isClient()) {
            Object name = knobs.get("server_name");
            parameters.setServerNames(name == null ? List.of() : List.of(new SNIHostName((String) name)));
        }
        if (knobs.get("alpn") instanceof List<?> protocols) {
            parameters.setApplicationProtocols(protocols.toArray(new String[0]));
        }
        engine.setSSLParameters(parameters);
        return engine;
    }
}
