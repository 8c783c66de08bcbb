import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.SSLEngine;

/** OpenSSL's names of the cipher suites that JSSE has. */
final class Suites {
    private Suites() {}

    static boolean isTls13(String suite) {
        return !suite.contains("_WITH_");
    }

    static String openSsl(String suite) {
        if (isTls13(suite)) {
            return suite;
        }
        String[] halves = suite.substring("TLS_".length()).split("_WITH_");
        String exchange = halves[0].equals("RSA") ? "" : halves[0].replace('_', '-') + "-";
        String bulk = halves[1].replaceFirst("_CBC", "").replaceFirst("AES_", "AES").replace('_', '-');
        return exchange + bulk.replaceFirst("POLY1305-SHA256", "POLY1305");
    }

    /** Enable what the knobs name, and every suite of the version whose knob is not given. */
    static void choose(SSLEngine engine, String ciphers, String ciphersuites) throws Failure {
        List<String> chosen = new ArrayList<>();
        add(chosen, engine, ciphersuites, true, "ciphersuites");
        add(chosen, engine, ciphers, false, "ciphers");
        engine.setEnabledCipherSuites(chosen.toArray(new String[0]));
    }

    private static void add(List<String> chosen, SSLEngine engine, String text, boolean tls13, String knob)
            throws Failure {
        List<String> known = Arrays.asList(text == null ? engine.getEnabledCipherSuites() : engine.getSupportedCipherSuites());
        if (text == null) {
            known.stream().filter(one -> isTls13(one) == tls13).forEach(chosen::add);
            return;
        }
        for (String word : text.split(":")) {
            String wanted = word.replaceFirst("@.*", ""); // @SECLEVEL=0 is OpenSSL's alone
            List<String> same = known.stream().filter(one -> isTls13(one) == tls13 && openSsl(one).equals(wanted)).toList();
            if (same.isEmpty() && !wanted.isEmpty()) {
                throw Failure.lack(knob + ": JSSE has no " + word + "; this agent reads single names");
            }
            chosen.addAll(same);
        }
    }
}
