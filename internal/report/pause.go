package report

import (
	"time"

	"github.com/relight-aws/relight/internal/remedy"
)

// A Pause is a pause as JSON.
type Pause struct {
	By      string    `json:"by"` // ARN of who paused relight
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`
	Reason  string    `json:"reason"`
	Kinds   []string  `json:"kinds,omitempty"`   // none means every kind that may be paused
	Regions []string  `json:"regions,omitempty"` // none means every region
	Text    string    `json:"text"`              // all of it in words
}

// PauseOf returns the JSON view of a pause, or nil for none.
func PauseOf(p *remedy.Pause) *Pause {
	if p == nil {
		return nil
	}
	v := &Pause{By: p.By, Since: p.Since.UTC(), Until: p.Until.UTC(), Reason: p.Reason, Regions: p.Regions, Text: p.String()}
	for _, k := range p.Kinds {
		v.Kinds = append(v.Kinds, string(k))
	}
	return v
}

// clock returns a time as people read it.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
