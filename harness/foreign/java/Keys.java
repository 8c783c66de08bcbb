import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;

/** Wraps keys in the formats of OpenSSL (RFC 5915, RFC 8017) in PKCS #8 (RFC 5958), which is all that the JDK reads. */
final class Keys {
    private static final int SEQUENCE = 0x30;
    private static final int OCTETS = 0x04;
    private static final int PARAMETERS = 0xa0;
    private static final byte[] ZERO = {2, 1, 0};
    private static final byte[] EC = HexFormat.of().parseHex("06072a8648ce3d0201");
    private static final byte[] RSA = HexFormat.of().parseHex("06092a864886f70d0101010500");

    private Keys() {}

    static byte[] inPkcs8(String kind, byte[] key) {
        byte[] algorithm = kind.equals("RSA") ? RSA : joined(EC, curve(key));
        return element(SEQUENCE, joined(ZERO, element(SEQUENCE, algorithm), element(OCTETS, key)));
    }

    /** The OID of the curve, with its tag: the content of [0] in an ECPrivateKey. */
    private static byte[] curve(byte[] key) {
        ByteBuffer rest = ByteBuffer.wrap(key);
        header(rest);
        while (rest.hasRemaining()) {
            int tag = rest.get(rest.position()) & 0xff;
            int length = header(rest);
            int start = rest.position();
            if (tag == PARAMETERS) {
                return Arrays.copyOfRange(key, start, start + length);
            }
            rest.position(start + length);
        }
        throw new IllegalArgumentException("the key does not name its curve");
    }

    /** Read a tag and a length, which is returned. */
    private static int header(ByteBuffer from) {
        from.get();
        int first = from.get() & 0xff;
        int length = first;
        if (first > 0x7f) {
            length = 0;
            for (int more = first & 0x7f; more > 0; more--) {
                length = length << 8 | from.get() & 0xff;
            }
        }
        return length;
    }

    private static byte[] element(int tag, byte[] content) {
        int size = content.length;
        byte[] length = size < 0x80 ? new byte[] {(byte) size} : size < 0x100 ? new byte[] {(byte) 0x81, (byte) size}
            : new byte[] {(byte) 0x82, (byte) (size >> 8), (byte) size};
        return joined(new byte[] {(byte) tag}, length, content);
    }

    private static byte[] joined(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }
}
