"""The C declarations that the driver uses, for OpenSSL 1.0.2 to 4.0; an absent symbol fails on first use.

Copied by hand from include/openssl/ssl.h, err.h, crypto.h and lhash.h. Macros over SSL_ctrl and SSL_CTX_ctrl are called
by their numbers (constants.py). time_t is 64 bits long wherever the _ex functions exist.
Run as a script, this module writes ``declared.py``, which the driver loads.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, cast

import cffi

SSL = """
typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_session_st SSL_SESSION;
typedef struct ssl_method_st SSL_METHOD;
typedef struct ssl_cipher_st SSL_CIPHER;
typedef struct bio_st BIO;

int OPENSSL_init_ssl(uint64_t opts, const void *settings);
int SSL_library_init(void);
void SSL_load_error_strings(void);
const SSL_METHOD *TLS_method(void);
const SSL_METHOD *SSLv23_method(void);
const SSL_METHOD *TLSv1_method(void);
const SSL_METHOD *TLSv1_1_method(void);
const SSL_METHOD *TLSv1_2_method(void);
void SSL_CTX_set_security_level(SSL_CTX *ctx, int level);
const SSL_METHOD *DTLS_method(void);
const SSL_METHOD *DTLSv1_2_method(void);
const SSL_METHOD *OSSL_QUIC_client_method(void);
const SSL_METHOD *OSSL_QUIC_server_method(void);
SSL *SSL_new_listener(SSL_CTX *ctx, uint64_t flags);
SSL *SSL_accept_connection(SSL *ssl, uint64_t flags);
int SSL_set_blocking_mode(SSL *ssl, int blocking);
int SSL_set1_initial_peer_addr(SSL *ssl, const void *address);
int SSL_handle_events(SSL *ssl);
int SSL_get_event_timeout(SSL *ssl, void *time, int *is_infinite);
int SSL_shutdown_ex(SSL *ssl, uint64_t flags, const void *args, size_t args_len);
typedef struct ssl_conn_close_info_st {
    uint64_t error_code;
    uint64_t frame_type;
    const char *reason;
    size_t reason_len;
    uint32_t flags;
} SSL_CONN_CLOSE_INFO;
int SSL_get_conn_close_info(SSL *ssl, SSL_CONN_CLOSE_INFO *info, size_t info_len);
int DTLSv1_listen(SSL *ssl, void *client);
void DTLS_set_timer_cb(SSL *ssl, unsigned int (*cb)(SSL *, unsigned int));
void SSL_CTX_set_cookie_generate_cb(SSL_CTX *ctx, int (*cb)(SSL *, unsigned char *, unsigned int *));
void SSL_CTX_set_cookie_verify_cb(SSL_CTX *ctx, int (*cb)(SSL *, const unsigned char *, unsigned int));

SSL_CTX *SSL_CTX_new(const SSL_METHOD *method);
void SSL_CTX_free(SSL_CTX *ctx);
long SSL_CTX_ctrl(SSL_CTX *ctx, int cmd, long larg, void *parg);
long SSL_CTX_callback_ctrl(SSL_CTX *ctx, int cmd, void (*callback)(void));
uint64_t SSL_CTX_set_options(SSL_CTX *ctx, uint64_t options);
uint64_t SSL_CTX_clear_options(SSL_CTX *ctx, uint64_t options);
uint64_t SSL_CTX_get_options(const SSL_CTX *ctx);
long SSL_CTX_set_timeout(SSL_CTX *ctx, long t);
int SSL_CTX_set_session_id_context(SSL_CTX *ctx, const unsigned char *sid_ctx, unsigned int len);
int SSL_CTX_set_num_tickets(SSL_CTX *ctx, size_t num_tickets);
int SSL_CTX_set_max_early_data(SSL_CTX *ctx, uint32_t max_early_data);
int SSL_CTX_set_cipher_list(SSL_CTX *ctx, const char *str);
int SSL_CTX_set_ciphersuites(SSL_CTX *ctx, const char *str);
int SSL_CTX_set_tlsext_max_fragment_length(SSL_CTX *ctx, uint8_t mode);
int SSL_CTX_set_alpn_protos(SSL_CTX *ctx, const unsigned char *protos, unsigned int protos_len);
void SSL_CTX_set_verify(SSL_CTX *ctx, int mode, void *callback);
int SSL_CTX_load_verify_locations(SSL_CTX *ctx, const char *file, const char *path);
int SSL_CTX_use_certificate_chain_file(SSL_CTX *ctx, const char *file);
int SSL_CTX_use_PrivateKey_file(SSL_CTX *ctx, const char *file, int type);
int SSL_CTX_use_PrivateKey(SSL_CTX *ctx, void *pkey);
void *SSL_CTX_get0_privatekey(const SSL_CTX *ctx);
int SSL_CTX_remove_session(SSL_CTX *ctx, SSL_SESSION *session);
void SSL_CTX_flush_sessions(SSL_CTX *ctx, long tm);
void SSL_CTX_flush_sessions_ex(SSL_CTX *ctx, int64_t tm);
void *SSL_CTX_sessions(SSL_CTX *ctx);
void SSL_CTX_sess_set_new_cb(SSL_CTX *ctx, int (*cb)(SSL *, SSL_SESSION *));
void SSL_CTX_sess_set_get_cb(SSL_CTX *ctx, SSL_SESSION *(*cb)(SSL *, const unsigned char *, int, int *));
void SSL_CTX_sess_set_remove_cb(SSL_CTX *ctx, void (*cb)(SSL_CTX *, SSL_SESSION *));
int SSL_CTX_set_tlsext_ticket_key_evp_cb(SSL_CTX *ctx,
    int (*cb)(SSL *, unsigned char *, unsigned char *, void *, void *, int));
void SSL_CTX_set_psk_client_callback(SSL_CTX *ctx,
    unsigned int (*cb)(SSL *, const char *, char *, unsigned int, unsigned char *, unsigned int));
void SSL_CTX_set_psk_server_callback(SSL_CTX *ctx,
    unsigned int (*cb)(SSL *, const char *, unsigned char *, unsigned int));
void SSL_CTX_set_psk_use_session_callback(SSL_CTX *ctx,
    int (*cb)(SSL *, const void *, const unsigned char **, size_t *, SSL_SESSION **));
void SSL_CTX_set_psk_find_session_callback(SSL_CTX *ctx,
    int (*cb)(SSL *, const unsigned char *, size_t, SSL_SESSION **));
int SSL_CTX_use_psk_identity_hint(SSL_CTX *ctx, const char *hint);
const char *SSL_get_psk_identity(const SSL *ssl);
const SSL_CIPHER *SSL_CIPHER_find(SSL *ssl, const unsigned char *ptr);
const void *SSL_CIPHER_get_handshake_digest(const SSL_CIPHER *cipher);
SSL_SESSION *SSL_SESSION_new(void);
int SSL_SESSION_set1_master_key(SSL_SESSION *session, const unsigned char *in, size_t len);
int SSL_SESSION_set_cipher(SSL_SESSION *session, const SSL_CIPHER *cipher);
int SSL_SESSION_set_protocol_version(SSL_SESSION *session, int version);
SSL_CTX *SSL_set_SSL_CTX(SSL *ssl, SSL_CTX *ctx);
int SSL_CTX_get_verify_mode(const SSL_CTX *ctx);
void SSL_set_verify(SSL *ssl, int mode, void *callback);
uint64_t SSL_set_options(SSL *ssl, uint64_t options);
int SSL_set_cipher_list(SSL *ssl, const char *str);
uint64_t SSL_clear_options(SSL *ssl, uint64_t options);
int SSL_client_hello_get0_ext(SSL *ssl, unsigned int type, const unsigned char **out, size_t *outlen);
int SSL_SESSION_set1_ticket_appdata(SSL_SESSION *session, const void *data, size_t size);
int SSL_SESSION_get0_ticket_appdata(SSL_SESSION *session, void **data, size_t *size);
int SSL_CTX_set1_cert_comp_preference(SSL_CTX *ctx, int *algs, size_t len);
int SSL_CTX_compress_certs(SSL_CTX *ctx, int alg);
void SSL_CTX_set_quiet_shutdown(SSL_CTX *ctx, int mode);
void SSL_CTX_set_not_resumable_session_callback(SSL_CTX *ctx, int (*cb)(SSL *, int));
void SSL_set_not_resumable_session_callback(SSL *ssl, int (*cb)(SSL *, int));
int SSL_set1_host(SSL *ssl, const char *name);
int SSL_new_session_ticket(SSL *ssl);
long SSL_SESSION_set_timeout(SSL_SESSION *session, long t);
int SSL_CTX_add_session(SSL_CTX *ctx, SSL_SESSION *session);
void SSL_CTX_set_client_hello_cb(SSL_CTX *ctx, int (*cb)(SSL *, int *, void *), void *arg);
size_t SSL_client_hello_get0_session_id(SSL *ssl, const unsigned char **out);
void SSL_CTX_set_msg_callback(SSL_CTX *ctx, void (*cb)(int, int, int, const void *, size_t, SSL *, void *));
void SSL_CTX_set_keylog_callback(SSL_CTX *ctx, void (*cb)(const SSL *, const char *));
int SSL_CTX_set_generate_session_id(SSL_CTX *ctx, int (*cb)(SSL *, unsigned char *, unsigned int *));
int SSL_CTX_set_session_ticket_cb(SSL_CTX *ctx, int (*gen_cb)(SSL *, void *), void *dec_cb, void *arg);
void SSL_CTX_set_alpn_select_cb(SSL_CTX *ctx,
    int (*cb)(SSL *, const unsigned char **, unsigned char *, const unsigned char *, unsigned int, void *), void *arg);
int SSL_select_next_proto(unsigned char **out, unsigned char *outlen, const unsigned char *server,
    unsigned int server_len, const unsigned char *client, unsigned int client_len);

SSL *SSL_new(SSL_CTX *ctx);
void SSL_free(SSL *ssl);
long SSL_ctrl(SSL *ssl, int cmd, long larg, void *parg);
int SSL_set_ssl_method(SSL *ssl, const SSL_METHOD *method);
int SSL_set_fd(SSL *ssl, int fd);
int SSL_set_rfd(SSL *ssl, int fd);
int SSL_get_wfd(const SSL *ssl);
void SSL_set_bio(SSL *ssl, BIO *rbio, BIO *wbio);
void SSL_set_connect_state(SSL *ssl);
void SSL_set_accept_state(SSL *ssl);
int SSL_do_handshake(SSL *ssl);
int SSL_CTX_set1_server_cert_type(SSL_CTX *ctx, const unsigned char *val, size_t len);
int SSL_CTX_set1_client_cert_type(SSL_CTX *ctx, const unsigned char *val, size_t len);
int SSL_CTX_dane_enable(SSL_CTX *ctx);
int SSL_dane_enable(SSL *ssl, const char *basedomain);
int SSL_add_expected_rpk(SSL *ssl, void *rpk);
int SSL_read(SSL *ssl, void *buf, int num);
int SSL_write(SSL *ssl, const void *buf, int num);
int SSL_shutdown(SSL *ssl);
int SSL_get_error(const SSL *ssl, int ret);
int SSL_want(const SSL *ssl);
int SSL_verify_client_post_handshake(SSL *ssl);
void SSL_CTX_set_post_handshake_auth(SSL_CTX *ctx, int val);
int SSL_renegotiate(SSL *ssl);
int SSL_renegotiate_abbreviated(SSL *ssl);
int SSL_write_early_data(SSL *ssl, const void *buf, size_t num, size_t *written);
int SSL_read_early_data(SSL *ssl, void *buf, size_t num, size_t *readbytes);
int SSL_get_early_data_status(const SSL *ssl);
int SSL_session_reused(const SSL *ssl);
int SSL_version(const SSL *ssl);
const SSL_CIPHER *SSL_get_current_cipher(const SSL *ssl);
const char *SSL_CIPHER_get_name(const SSL_CIPHER *cipher);
const char *SSL_get_servername(const SSL *ssl, int type);
void SSL_get0_alpn_selected(const SSL *ssl, const unsigned char **data, unsigned int *len);
void *SSL_get0_peer_certificate(const SSL *ssl);
void *SSL_get_peer_certificate(const SSL *ssl);
void *SSL_get_peer_cert_chain(const SSL *ssl);
uint64_t SSL_get_options(const SSL *ssl);
const char *SSL_group_to_name(SSL *ssl, int id);
int SSL_export_keying_material(SSL *ssl, unsigned char *out, size_t olen, const char *label, size_t llen,
    const unsigned char *context, size_t contextlen, int use_context);
int SSL_has_matching_session_id(const SSL *ssl, const unsigned char *id, unsigned int id_len);

SSL_SESSION *SSL_get1_session(SSL *ssl);
SSL_SESSION *SSL_get_session(const SSL *ssl);
int SSL_set_session(SSL *ssl, SSL_SESSION *session);
void SSL_SESSION_free(SSL_SESSION *session);
int SSL_SESSION_is_resumable(const SSL_SESSION *session);
const unsigned char *SSL_SESSION_get_id(const SSL_SESSION *session, unsigned int *len);
uint32_t SSL_SESSION_get_max_early_data(const SSL_SESSION *session);
long SSL_SESSION_get_time(const SSL_SESSION *session);
int64_t SSL_SESSION_get_time_ex(const SSL_SESSION *session);
long SSL_SESSION_set_time(SSL_SESSION *session, long t);
int64_t SSL_SESSION_set_time_ex(SSL_SESSION *session, int64_t t);
long SSL_SESSION_get_timeout(const SSL_SESSION *session);
SSL_SESSION *SSL_SESSION_dup(const SSL_SESSION *session);
int SSL_SESSION_up_ref(SSL_SESSION *session);
int SSL_clear(SSL *ssl);
int SSL_SESSION_set1_id(SSL_SESSION *session, const unsigned char *sid, unsigned int sid_len);
int i2d_SSL_SESSION(const SSL_SESSION *session, unsigned char **out);
SSL_SESSION *d2i_SSL_SESSION(SSL_SESSION **session, const unsigned char **in, long length);
"""

CRYPTO = """
typedef struct ossl_param_st {
    const char *key;
    unsigned int data_type;
    void *data;
    size_t data_size;
    size_t return_size;
} OSSL_PARAM;

const void *EVP_aes_128_cbc(void);
const void *EVP_aes_256_cbc(void);
const void *EVP_aes_128_ctr(void);
const void *EVP_aes_256_ctr(void);
const void *EVP_des_ede3_cbc(void);
const void *EVP_sha256(void);
int EVP_EncryptInit_ex(void *ctx, const void *cipher, void *engine, const unsigned char *key, const unsigned char *iv);
int EVP_DecryptInit_ex(void *ctx, const void *cipher, void *engine, const unsigned char *key, const unsigned char *iv);
int EVP_MAC_init(void *ctx, const unsigned char *key, size_t size, const OSSL_PARAM *params);
int HMAC_Init_ex(void *ctx, const void *key, int size, const void *digest, void *engine);
void *COMP_zlib_oneshot(void);
void *COMP_brotli_oneshot(void);
void *COMP_zstd_oneshot(void);
unsigned long ERR_get_error(void);
void ERR_clear_error(void);
const char *ERR_reason_error_string(unsigned long e);
const char *OpenSSL_version(int type);
const char *SSLeay_version(int type);
void X509_free(void *x509);
void *BIO_s_mem(void);
BIO *BIO_new(const void *method);
BIO *BIO_new_dgram(int fd, int close);
void *BIO_ADDR_new(void);
void BIO_ADDR_free(void *address);
int BIO_ADDR_rawmake(void *address, int family, const void *where, size_t length, unsigned short port);
int BIO_read(BIO *bio, void *data, int length);
int BIO_write(BIO *bio, const void *data, int length);
long BIO_ctrl(BIO *bio, int cmd, long larg, void *parg);
int i2d_X509(void *x509, unsigned char **out);
int OPENSSL_sk_num(const void *stack);
void *OPENSSL_sk_value(const void *stack, int i);
int sk_num(const void *stack);
void *sk_value(const void *stack, int i);
const char *EVP_PKEY_get0_type_name(const void *key);
int EVP_PKEY_get_bits(const void *key);
int EVP_PKEY_get_group_name(const void *key, char *name, size_t size, size_t *length);
void EVP_PKEY_free(void *key);
void *CRYPTO_malloc(size_t num, const char *file, int line);
void *d2i_X509(void **certificate, const unsigned char **in, long length);
void *X509_get_pubkey(void *certificate);
int EVP_PKEY_up_ref(void *pkey);
void OPENSSL_LH_doall(void *lh, void (*func)(void *));
void lh_doall(void *lh, void (*func)(void *));
"""
C = """
int mprotect(void *address, size_t length, int protection);
int clock_gettime(int clock, void *time);
"""
"""Of the C library."""


DECLARED = Path(__file__).with_name("declared.py")


def declared() -> str:
    """The source of ``declared.py``: an agent starts faster without a parser of C (cffi's out-of-line ABI mode)."""
    ffi = cast("Any", cffi.FFI())
    ffi.cdef(SSL + CRYPTO + C)
    ffi.set_source("declared", None)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "declared.py"
        ffi.emit_python_code(str(made))  # cffi 1.17 takes no open file
        return (
            f'"""The declarations of cdef.py as cffi keeps them; that module writes this one."""\n\n{made.read_text()}'
        )


if __name__ == "__main__":
    DECLARED.write_text(declared())
