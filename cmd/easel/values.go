package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/easelhq/easel/cron"
)

// Setters of one value each. What they return follows "--key: " in the message.

func text(dst *string) func(string) error {
	return func(s string) error { *dst = s; return nil }
}

func filled(dst *string) func(string) error {
	return func(s string) error {
		if s == "" {
			return errors.New("must not be empty")
		}
		*dst = s
		return nil
	}
}

func boolean(dst *bool) func(string) error {
	return func(s string) error {
		v, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("must be true or false, not %q", s)
		}
		*dst = v
		return nil
	}
}

func oneOf(dst *string, allowed ...string) func(string) error {
	return func(s string) error {
		if !slices.Contains(allowed, s) {
			return fmt.Errorf("must be one of %s, not %q", strings.Join(allowed, ", "), s)
		}
		*dst = s
		return nil
	}
}

func level(dst *slog.Level) func(string) error {
	return func(s string) error {
		levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
		l, ok := levels[s]
		if !ok {
			return fmt.Errorf("must be one of debug, info, warn, error, not %q", s)
		}
		*dst = l
		return nil
	}
}

func count(dst *int) func(string) error {
	return func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return fmt.Errorf("must be a whole number of at least 1, not %q", s)
		}
		*dst = n
		return nil
	}
}

// size reads bytes with an optional KiB, MiB, GiB or TiB.
func size(dst *int64, least int64) func(string) error {
	return func(s string) error {
		number, shift := s, 0
		for unit, bits := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40} {
			if rest, ok := strings.CutSuffix(s, unit); ok {
				number, shift = rest, bits
			}
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 0 || n > (1<<62)>>shift {
			return fmt.Errorf("must be bytes such as 1048576 or 1MiB, not %q", s)
		}
		if n <<= shift; n < least {
			return fmt.Errorf("must be at least %d bytes, not %q", least, s)
		}
		*dst = n
		return nil
	}
}

func duration(dst *time.Duration, least time.Duration) func(string) error {
	return func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil {
			return fmt.Errorf("must be a duration such as 90s or 10m, not %q", s)
		}
		if d < least {
			return fmt.Errorf("must be at least %s, not %s", least, d)
		}
		*dst = d
		return nil
	}
}

func schedule(dst *string) func(string) error {
	return func(s string) error {
		if s != choresOff {
			if err := cron.Check(s); err != nil {
				return fmt.Errorf("must be a cron schedule such as \"17 3 * * *\", or off: %w", err)
			}
		}
		*dst = s
		return nil
	}
}

func checkHostPort(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("must be HOST:PORT, not %q", s)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("must have a port from 0 to 65535, not %q", port)
	}
	return nil
}

func hostPort(dst *string) func(string) error {
	return func(s string) error {
		if s != "" {
			if err := checkHostPort(s); err != nil {
				return err
			}
		}
		*dst = s
		return nil
	}
}

func hostPorts(dst *[]string) func(string) error {
	return func(s string) error {
		list := splitList(s)
		for _, a := range list {
			if err := checkHostPort(a); err != nil {
				return err
			}
		}
		*dst = list
		return nil
	}
}

func nodeName(dst *string) func(string) error {
	return func(s string) error {
		if s != "" && !validName(s) {
			return fmt.Errorf("must have 1 to 64 characters of A-Z, a-z, 0-9, dot, dash and underscore, not %q", s)
		}
		*dst = s
		return nil
	}
}

// validName reports whether s can name a node or a region.
func validName(s string) bool {
	return regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`).MatchString(s)
}

// minSecret is the shortest secret that HS256 is safe with (RFC 7518, 3.2).
const minSecret = 32

func secrets(dst *[]string) func(string) error {
	return func(s string) error {
		list := splitList(s)
		for i, secret := range list {
			if len(secret) < minSecret {
				return fmt.Errorf("secret %d of %d has %d bytes, at least %d are needed", i+1, len(list), len(secret), minSecret)
			}
		}
		*dst = list
		return nil
	}
}

func key32(dst *[]byte) func(string) error {
	return func(s string) error {
		if s == "" {
			*dst = nil
			return nil
		}
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil || len(b) != 32 {
			return errors.New("must be 32 bytes in base64")
		}
		*dst = b
		return nil
	}
}

func webURL(dst *string) func(string) error {
	return func(s string) error {
		if s != "" {
			u, err := url.Parse(s)
			if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
				return fmt.Errorf("must be an http or https URL, not %q", s)
			}
		}
		*dst = s
		return nil
	}
}

// checkOrigin takes scheme://host[:port] as browsers send it, which is in lower
// case. A pattern is none: what compares origins would not agree on it.
func checkOrigin(s string) error {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Scheme+"://"+u.Host != s ||
		strings.ContainsAny(s, "*@") || strings.ToLower(s) != s {
		return fmt.Errorf("must be such as https://example.com, not %q", s)
	}
	return nil
}

func origin(dst *string) func(string) error {
	return func(s string) error {
		if s != "" {
			if err := checkOrigin(s); err != nil {
				return err
			}
		}
		*dst = s
		return nil
	}
}

func origins(dst *[]string) func(string) error {
	return func(s string) error {
		list := splitList(s)
		for _, o := range list {
			if err := checkOrigin(o); err != nil {
				return err
			}
		}
		*dst = list
		return nil
	}
}

func home(dst *string) func(string) error {
	return func(s string) error {
		if s == "" {
			*dst = ""
			return nil
		}
		if path, ok := strings.CutPrefix(s, "dir:"); ok {
			if path == "" {
				return errors.New("must name a folder after dir:")
			}
			*dst = s
			return nil
		}
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "s3" || u.Host == "" {
			return fmt.Errorf("must be dir:PATH or s3://BUCKET/PREFIX?endpoint=URL&region=R, not %q", s)
		}
		for key := range u.Query() {
			if !slices.Contains([]string{"endpoint", "region", "public"}, key) {
				return fmt.Errorf("has an unknown parameter %q", key)
			}
		}
		for _, key := range []string{"endpoint", "public"} {
			var ignored string
			if err := webURL(&ignored)(u.Query().Get(key)); err != nil {
				return fmt.Errorf("%s %w", key, err)
			}
		}
		*dst = s
		return nil
	}
}

// splitList splits at commas and drops spaces and empty parts.
func splitList(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func weight(dst *float64) func(string) error {
	return func(s string) error {
		w, err := strconv.ParseFloat(s, 64)
		if err != nil || !(w > 0 && w <= 1000) {
			return fmt.Errorf("must be a number above 0 and up to 1000, not %q", s)
		}
		*dst = w
		return nil
	}
}
