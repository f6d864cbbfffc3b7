package plan

import "strings"

// squeeze returns a filter pattern in a form that is equal for patterns that
// differ in meaningless white space only. In a JSON pattern that is all white
// space outside quotes and regular expressions, except between two words: in
// "NOT EXISTS" it matters that there is some. In other patterns white space
// separates terms, so those stay as they are. Source: CloudWatch Logs User
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

// wordy reports whether a rune can be part of a word of a JSON pattern, which
// white space would cut in two.
func wordy(r rune) bool { return !strings.ContainsRune("{}()[]=!<>&|,\"%", r) }
