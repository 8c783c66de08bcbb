import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON (RFC 8259): objects are maps, arrays lists, integers Long, other numbers Double. */
final class Json {
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    static Object read(String text) {
        Json json = new Json(text);
        Object found = json.value();
        json.space();
        if (json.at < text.length()) {
            throw new IllegalArgumentException("text after the value");
        }
        return found;
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private char next() {
        if (at >= text.length()) {
            throw new IllegalArgumentException("the text ends early");
        }
        return text.charAt(at++);
    }

    private void expect(String word) {
        if (!text.startsWith(word, at)) {
            throw new IllegalArgumentException("not JSON at " + at);
        }
        at += word.length();
    }

    private boolean ended(char end) {
        space();
        if (at < text.length() && text.charAt(at) == end) {
            at++;
            return true;
        }
        return false;
    }

    private Object value() {
        space();
        char first = next();
        switch (first) {
            case '{':
                return object();
            case '[':
                return array();
            case '"':
                return string();
            case 't':
                expect("rue");
                return true;
            case 'f':
                expect("alse");
                return false;
            case 'n':
                expect("ull");
                return null;
            default:
                at--;
                return number();
        }
    }

    private Map<String, Object> object() {
        Map<String, Object> found = new LinkedHashMap<>();
        while (!ended('}')) {
            if (!found.isEmpty()) {
                expect(",");
                space();
            }
            expect("\"");
            String name = string();
            space();
            expect(":");
            found.put(name, value());
        }
        return found;
    }

    private List<Object> array() {
        List<Object> found = new ArrayList<>();
        while (!ended(']')) {
            if (!found.isEmpty()) {
                expect(",");
            }
            found.add(value());
        }
        return found;
    }

    private String string() {
        StringBuilder found = new StringBuilder();
        for (char one = next(); one != '"'; one = next()) {
            if (one != '\\') {
                found.append(one);
                continue;
            }
            char escaped = next();
            int place = "bfnrt".indexOf(escaped);
            if (escaped == 'u') {
                found.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
                at += 4;
            } else {
                found.append(place < 0 ? escaped : "\b\f\n\r\t".charAt(place));
            }
        }
        return found.toString();
    }

    private Object number() {
        int start = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String digits = text.substring(start, at);
        if (digits.matches("-?[0-9]+")) {
            return Long.valueOf(digits);
        }
        return Double.valueOf(digits);
    }

    static String write(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private static void write(Object value, StringBuilder out) {
        if (value instanceof Map<?, ?> object) {
            String before = "{";
            for (Map.Entry<?, ?> one : object.entrySet()) {
                out.append(before);
                write(String.valueOf(one.getKey()), out);
                out.append(':');
                write(one.getValue(), out);
                before = ",";
            }
            out.append(object.isEmpty() ? "{}" : "}");
        } else if (value instanceof Iterable<?> list) {
            String before = "[";
            for (Object one : list) {
                out.append(before);
                write(one, out);
                before = ",";
            }
            out.append(before.equals("[") ? "[]" : "]");
        } else if (value instanceof String text) {
            out.append('"');
            for (char one : text.toCharArray()) {
                if (one < ' ') {
                    out.append(String.format("\\u%04x", (int) one));
                } else {
                    out.append(one == '"' || one == '\\' ? "\\" : "").append(one);
                }
            }
            out.append('"');
        } else {
            out.append(value);
        }
    }
}
