package main

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// What a knob lacks: a reason, or the only values that there are; nil if every value can be set.
var noEarlyData = "crypto/tls has early data for QUIC alone"

var bothKnobs = map[string]any{
	"versions":               []any{[]any{"1.2"}, []any{"1.3"}, []any{"1.2", "1.3"}},
	"tickets":                []any{true},
	"cache_mode":             "crypto/tls has no cache modes; a client's cache is the program's",
	"cache_size":             "crypto/tls has no cache of a server, and a client's is the program's",
	"timeout":                "crypto/tls fixes the lifetime of a session at 7 days (maxSessionTicketLifetime)",
	"middlebox_compat":       []any{true},
	"extended_master_secret": []any{true},
	"ciphers":                nil,
	"ciphersuites":           "crypto/tls chooses the TLS 1.3 cipher suite itself",
	"groups":                 nil,
	"psk_modes":              []any{"psk_dhe_ke"},
	"alpn":                   nil,
	"verify":                 []any{"none", "required"},
	"max_early_data":         noEarlyData,
	"renegotiation":          []any{false},
	"ignore_unexpected_eof":  []any{true},
}

var clientKnobs = map[string]any{
	"server_name":         nil,
	"max_fragment_length": "crypto/tls has no max_fragment_length",
}

var noIDs = "a server of crypto/tls has no session ids, only tickets"

var serverKnobs = map[string]any{
	"verify":                      nil,
	"num_tickets":                 []any{1},
	"session_id_context":          "crypto/tls has no session id context",
	"session_id_prefix":           noIDs,
	"session_id":                  noIDs,
	"ticket_keys":                 nil,
	"anti_replay":                 noEarlyData,
	"client_renegotiation":        []any{false},
	"resumption_on_renegotiation": "a server of crypto/tls does not renegotiate",
}

func knobsOf(role string) map[string]any {
	all := map[string]any{}
	for name, limit := range bothKnobs {
		all[name] = limit
	}
	further := clientKnobs
	if role == "server" {
		further = serverKnobs
	}
	for name, limit := range further {
		all[name] = limit
	}
	return all
}

var versions = map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

// OpenSSL's names of the TLS 1.2 cipher suites that crypto/tls has.
var suites = map[string]uint16{
	"ECDHE-RSA-AES128-GCM-SHA256":   tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-RSA-AES256-GCM-SHA384":   tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-RSA-CHACHA20-POLY1305":   tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-RSA-AES128-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	"ECDHE-RSA-AES256-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	"ECDHE-RSA-AES128-SHA256":       tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	"ECDHE-ECDSA-AES128-GCM-SHA256": tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-ECDSA-AES256-GCM-SHA384": tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-ECDSA-CHACHA20-POLY1305": tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-ECDSA-AES128-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
	"ECDHE-ECDSA-AES256-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
	"ECDHE-ECDSA-AES128-SHA256":     tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
	"AES128-GCM-SHA256":             tls.TLS_RSA_WITH_AES_128_GCM_SHA256,
	"AES256-GCM-SHA384":             tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
	"AES128-SHA":                    tls.TLS_RSA_WITH_AES_128_CBC_SHA,
	"AES256-SHA":                    tls.TLS_RSA_WITH_AES_256_CBC_SHA,
	"AES128-SHA256":                 tls.TLS_RSA_WITH_AES_128_CBC_SHA256,
}

var groups = map[string]tls.CurveID{
	"x25519": tls.X25519, "p-256": tls.CurveP256, "prime256v1": tls.CurveP256, "secp256r1": tls.CurveP256,
	"p-384": tls.CurveP384, "secp384r1": tls.CurveP384, "p-521": tls.CurveP521, "secp521r1": tls.CurveP521,
	"x25519mlkem768": tls.X25519MLKEM768,
}

var groupNames = map[tls.CurveID]string{
	tls.X25519: "x25519", tls.CurveP256: "secp256r1", tls.CurveP384: "secp384r1", tls.CurveP521: "secp521r1",
	tls.X25519MLKEM768: "X25519MLKEM768",
}

func cipherName(suite uint16) string {
	for name, number := range suites {
		if number == suite {
			return name
		}
	}
	return tls.CipherSuiteName(suite) // a TLS 1.3 suite is called the same by OpenSSL
}

// configure makes the tls.Config of a context.
func configure(role string, knobs map[string]any, files map[string]any) (*tls.Config, *failure) {
	config := &tls.Config{
		InsecureSkipVerify: true, // host names are not compared; verify=required checks the chain, below
		MinVersion:         tls.VersionTLS12,
		Time:               now,
	}
	pool, failed := readFiles(config, files)
	if failed != nil {
		return nil, failed
	}
	allowed := knobsOf(role)
	for _, name := range sorted(knobs) {
		value := knobs[name]
		limit, known := allowed[name]
		if !known {
			return nil, usage("unknown knob %q; a %s has: %s", name, role, strings.Join(sorted(allowed), ", "))
		}
		if value == nil {
			continue
		}
		if failed := within(name, value, limit); failed != nil {
			return nil, failed
		}
		if failed := set(config, role, name, value, pool); failed != nil {
			return nil, failed
		}
	}
	return config, nil
}

func readFiles(config *tls.Config, files map[string]any) (*x509.CertPool, *failure) {
	pool := x509.NewCertPool()
	paths := map[string]string{}
	for name, path := range files {
		text, ok := path.(string)
		if path != nil && (!ok || (name != "ca" && name != "certificate" && name != "key")) {
			return nil, usage("files are the paths of ca, certificate and key, not %s", name)
		}
		paths[name] = text
	}
	if path := paths["ca"]; path != "" {
		pem, err := os.ReadFile(path)
		if err != nil || !pool.AppendCertsFromPEM(pem) {
			return nil, usage("%s holds no certificate that can be read", path)
		}
	}
	if paths["certificate"] != "" && paths["key"] != "" {
		pair, err := tls.LoadX509KeyPair(paths["certificate"], paths["key"])
		if err != nil {
			if strings.Contains(err.Error(), "unknown algorithm") || strings.Contains(err.Error(), "unknown public key") {
				return nil, lack("context: crypto/tls knows no keys of this type (%v)", err)
			}
			return nil, usage("the certificate or its key cannot be read: %v", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	config.RootCAs, config.ClientCAs = pool, pool
	return pool, nil
}

func within(name string, value any, limit any) *failure {
	switch limit := limit.(type) {
	case string:
		return lack("%s: %s", name, limit)
	case []any:
		for _, one := range limit {
			if fmt.Sprint(one) == fmt.Sprint(value) {
				return nil
			}
		}
		return lack("%s: crypto/tls has only %v", name, limit)
	}
	return nil
}

func set(config *tls.Config, role, name string, value any, pool *x509.CertPool) *failure {
	wrong := usage("the knob %s cannot be %v", name, value)
	switch name {
	case "versions":
		texts, ok := texts(value)
		if !ok || len(texts) == 0 {
			return wrong
		}
		config.MinVersion, config.MaxVersion = 0, 0
		for _, text := range texts {
			version, ok := versions[text]
			if !ok {
				return wrong
			}
			if config.MinVersion == 0 || version < config.MinVersion {
				config.MinVersion = version
			}
			config.MaxVersion = max(config.MaxVersion, version)
		}
	case "ciphers":
		text, ok := value.(string)
		if !ok {
			return wrong
		}
		chosen, failed := chosenSuites(text)
		if failed != nil {
			return failed
		}
		config.CipherSuites = chosen
	case "groups":
		text, ok := value.(string)
		if !ok {
			return wrong
		}
		for _, one := range strings.Split(text, ":") {
			group, known := groups[strings.ToLower(one)]
			if !known {
				return lack("groups: crypto/tls has no group %s", one)
			}
			config.CurvePreferences = append(config.CurvePreferences, group)
		}
	case "alpn":
		texts, ok := texts(value)
		if !ok {
			return wrong
		}
		config.NextProtos = texts
	case "server_name":
		config.ServerName, _ = value.(string)
	case "verify":
		setVerify(config, role, value.(string), pool)
	case "ticket_keys":
		text, _ := value.(string)
		key, err := hex.DecodeString(text)
		if err != nil || len(key) != 80 {
			return wrong
		}
		config.SetSessionTicketKeys([][32]byte{sha256.Sum256(key)}) // crypto/tls takes 32 bytes
	}
	return nil
}

func setVerify(config *tls.Config, role, wanted string, pool *x509.CertPool) {
	if role == "server" {
		config.ClientAuth = map[string]tls.ClientAuthType{
			"none": tls.NoClientCert, "optional": tls.VerifyClientCertIfGiven, "required": tls.RequireAndVerifyClientCert,
		}[wanted]
		return
	}
	if wanted == "required" {
		config.VerifyConnection = func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 {
				return errors.New("the server has shown no certificate")
			}
			options := x509.VerifyOptions{Roots: pool, Intermediates: x509.NewCertPool(), CurrentTime: now()}
			for _, one := range state.PeerCertificates[1:] {
				options.Intermediates.AddCert(one)
			}
			_, err := state.PeerCertificates[0].Verify(options)
			return err
		}
	}
}

func chosenSuites(text string) ([]uint16, *failure) {
	found := []uint16{}
	for _, one := range strings.Split(text, ":") {
		word, _, _ := strings.Cut(one, "@") // @SECLEVEL=0 is OpenSSL's alone
		if word == "" {
			continue
		}
		suite, known := suites[word]
		if !known {
			return nil, lack("ciphers: crypto/tls has no %s; it reads single names: %s", word, strings.Join(sorted(suites), ", "))
		}
		found = append(found, suite)
	}
	return found, nil
}

func texts(value any) ([]string, bool) {
	list, ok := value.([]any)
	found := []string{}
	for _, one := range list {
		text, isText := one.(string)
		if _, isNumber := one.(json.Number); isNumber || !isText {
			return nil, false
		}
		found = append(found, text)
	}
	return found, ok
}
