package dev.hal0.hardware.proxmox;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Decides about the peer's certificate while the handshake is still open, so before the token is sent, and remembers what
 * it saw. For one call only. The extended base class is what keeps the JDK from adding a host name check of its own to the
 * pinned and the unverified way; the verifying delegate does that check itself.
 */
final class ProxmoxTrust extends X509ExtendedTrustManager {
    private static final HexFormat COLONS = HexFormat.ofDelimiter(":").withUpperCase();
    private static final X509Certificate[] NONE = {};

    private final @Nullable X509ExtendedTrustManager verifier;
    private final @Nullable String pin;
    private volatile @Nullable String seen;

    private ProxmoxTrust(@Nullable X509ExtendedTrustManager verifier, @Nullable String pin) {
        this.verifier = verifier;
        this.pin = pin;
    }

    /** @param anchors whom to trust when verifying; null for the JDK's own list */
    static ProxmoxTrust of(ProxmoxSettings settings, @Nullable KeyStore anchors) throws GeneralSecurityException {
        return settings.verifyTls()
                ? new ProxmoxTrust(verifier(anchors), null)
                : new ProxmoxTrust(null, settings.tlsFingerprint());
    }

    /** A context of its own per call: a session resumed from another call would skip the check. */
    SSLContext context() throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {this}, null);
        return context;
    }

    @Nullable
    String seen() {
        return seen;
    }

    /** The pin that the peer did not match, else null. */
    @Nullable
    String mismatched() {
        String shown = seen;
        return pin == null || shown == null || pin.equals(shown) ? null : pin;
    }

    static String fingerprint(X509Certificate certificate) throws CertificateException {
        try {
            return COLONS.formatHex(MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded()));
        } catch (GeneralSecurityException failure) {
            throw new CertificateException("no SHA-256 of this certificate", failure);
        }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        check(chain);
        if (verifier != null) {
            verifier.checkServerTrusted(chain, authType, engine);
        }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        check(chain);
        if (verifier != null) {
            verifier.checkServerTrusted(chain, authType, socket);
        }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        check(chain);
        if (verifier != null) {
            verifier.checkServerTrusted(chain, authType);
        }
    }

    private void check(X509Certificate[] chain) throws CertificateException {
        String shown = fingerprint(chain[0]);
        seen = shown;
        if (pin != null && !pin.equals(shown)) {
            throw new CertificateException("the certificate is not the pinned one");
        }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("there are no clients here");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return verifier == null ? NONE : verifier.getAcceptedIssuers();
    }

    private static X509ExtendedTrustManager verifier(@Nullable KeyStore anchors) throws GeneralSecurityException {
        var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(anchors);
        for (TrustManager candidate : factory.getTrustManagers()) {
            if (candidate instanceof X509ExtendedTrustManager verifying) {
                return verifying;
            }
        }
        throw new GeneralSecurityException("no verifying trust manager");
    }
}
