package plan

import "strings"

// squeeze removes the white space of a filter pattern that has no meaning, so
// that patterns which differ in nothing else become equal. In a JSON pattern that
// is all white space outside quotes and regular expressions, except between two
// words, as in "NOT EXISTS". In any other pattern white space separates terms, so
// it stays as it is. Source: CloudWatch Logs User
// Guide, "Filter pattern syntax".
func squeeze(pattern string) string {
	pattern = strings.TrimSpace(pattern)
	if !strings.HasPrefix(pattern, "{") {
		return pattern
	}
	var b strings.Builder
	var quote, last rune // quote is what ends the text the loop is in; 0 for none
	escaped, gap := false, false
	for _, r := range pattern {
		switch {
		case quote != 0:
			if r == quote && !escaped {
				quote = 0
			}
			escaped = r == '\\' && !escaped
		case strings.ContainsRune(" \t\r\n", r):
			gap = true
			continue
		case r == '"' || r == '%':
			quote = r
		}
		if gap && wordy(last) && wordy(r) {
			b.WriteByte(' ')
		}
		gap, last = false, r
		b.WriteRune(r)
	}
	return b.String()
}

// wordy reports whether a rune can be part of a word of a JSON pattern.
func wordy(r rune) bool { return !strings.ContainsRune("{}()[]=!<>&|,\"%", r) }
