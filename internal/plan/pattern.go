package plan

import "strings"

// samePattern reports whether two filter patterns differ only in white space
// that has no meaning. In a JSON pattern that is all white space outside quotes
// and regular expressions, except between two words, as in "NOT EXISTS". In any
// other pattern white space separates terms, so it counts. Source: CloudWatch
// Logs User Guide, "Filter pattern syntax".
func samePattern(a, b string) bool {
	if a == b {
		return true
	}
	x, y := newSqueezer(a), newSqueezer(b)
	for {
		c, more := x.next()
		d, moreToo := y.next()
		if c != d || more != moreToo {
			return false
		}
		if !more {
			return true
		}
	}
}

// A squeezer reads a filter pattern without the white space that has no meaning.
type squeezer struct {
	rest        string
	json        bool
	quote, last byte // quote is what ends the text it is in; 0 for none
	escaped     bool
}

func newSqueezer(pattern string) squeezer {
	pattern = strings.TrimSpace(pattern)
	return squeezer{rest: pattern, json: strings.HasPrefix(pattern, "{")}
}

// next returns the next byte, and false at the end.
func (s *squeezer) next() (byte, bool) {
	rest := s.rest
	for s.json && s.quote == 0 && rest != "" && (rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r' || rest[0] == '\n') {
		rest = rest[1:]
	}
	if rest == "" {
		return 0, false
	}
	c := rest[0]
	switch {
	case len(rest) < len(s.rest) && wordy(s.last) && wordy(c):
		s.rest, s.last = rest, ' '
		return ' ', true
	case s.quote != 0:
		if c == s.quote && !s.escaped {
			s.quote = 0
		}
		s.escaped = c == '\\' && !s.escaped
	case c == '"' || c == '%':
		s.quote = c
	}
	s.rest, s.last = rest[1:], c
	return c, true
}

// wordy reports whether a byte can be part of a word of a JSON pattern.
func wordy(c byte) bool { return strings.IndexByte("{}()[]=!<>&|,\"%", c) < 0 }
