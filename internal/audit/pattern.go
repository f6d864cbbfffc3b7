package audit

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/pattern"
)

// covers reports whether a filter pattern matches whatever a control's does, and not
// just anything.
func covers(c catalog.Control, text string) bool {
	p, err := pattern.Parse(text)
	if err != nil {
		return false
	}
	want, err := pattern.Parse(c.Pattern)
	if err != nil || pattern.Implies(want, p) != pattern.Yes {
		return false
	}
	return pattern.Equal(want, p) == pattern.Yes || !noisy(p, text)
}

// noisy reports whether a pattern matches records that no control is about: its alarm
// is always in ALARM, and notifies nobody of the next event. The names in the records
// follow from the pattern, so that none can leave just these out.
func noisy(p *pattern.Pattern, text string) bool {
	sum := sha256.Sum256([]byte(text))
	name := hex.EncodeToString(sum[:8])
	for _, verb := range []string{"", "Get", "List", "Describe", "Create", "Put", "Update", "Delete"} {
		record := `{"eventType":"AwsApiCall","eventSource":"` + name + `.amazonaws.com","eventName":"` + verb + name +
			`","sourceIPAddress":"192.0.2.10","userIdentity":{"type":"AssumedRole"}}`
		if p.Matches(record) {
			return true
		}
	}
	return false
}
