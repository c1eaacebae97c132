// OpenSSL for Swift: digests, HMAC, scrypt, signatures and their keys, random bytes.
#pragma once
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

// What are macros in OpenSSL, or have a value that Swift cannot compute.

// TLS 1.2 with forward secrecy and AEAD, or 1.3; no compression, no renegotiation (it would stop a write until the peer
// says something). A session's buffers go when they are empty, and what a full socket did not take may lie elsewhere at
// the next attempt.
static inline int openssl_harden_server(SSL_CTX *context) {
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) &&
         SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") &&
         SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
}

static inline int openssl_set_ticket_keys(SSL_CTX *context, const unsigned char keys[80]) {
  return (int)SSL_CTX_set_tlsext_ticket_keys(context, (void *)keys, 80);
}

static inline void openssl_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }
static inline void openssl_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void openssl_retry_write(BIO *bio) { BIO_set_retry_write(bio); }
