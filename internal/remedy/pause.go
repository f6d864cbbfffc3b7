package remedy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/order"
	"github.com/relight-aws/relight/internal/plan"
)

// A Pause is a time in which relight plans and reports, and restores nothing of what the
// pause covers.
type Pause struct {
	By      string // ARN of who paused relight, as Systems Manager says
	Since   time.Time
	Until   time.Time
	Reason  string
	Kinds   []catalog.Kind // none means every kind that may be paused
	Regions []string       // none means every region
}

// Covers reports whether relight restores nothing of a kind in a region. No pause, nil,
// covers nothing.
func (p *Pause) Covers(k catalog.Kind, region string) bool {
	return p != nil && slices.Contains(catalog.Pausable(), k) &&
		(len(p.Kinds) == 0 || slices.Contains(p.Kinds, k)) && (len(p.Regions) == 0 || slices.Contains(p.Regions, region))
}

// What returns what a pause covers, in words.
func (p *Pause) What() string {
	what := "everything but topics and guard"
	if len(p.Kinds) > 0 {
		what = strings.Join(words(p.Kinds), ", ")
	}
	if len(p.Regions) > 0 {
		what += " in " + strings.Join(p.Regions, ", ")
	}
	return what
}

// String returns a pause as one line.
func (p *Pause) String() string {
	return fmt.Sprintf("until %s by %s: %s (%s)", p.Until.UTC().Format(time.RFC3339), p.By, p.Reason, p.What())
}

// A PauseText is what a version of the parameter says that pauses relight.
type PauseText struct {
	SchemaVersion int            `json:"schema_version"`
	Until         time.Time      `json:"until,omitzero"`
	Reason        string         `json:"reason,omitempty"`
	Kinds         []catalog.Kind `json:"kinds,omitempty"`
	Regions       []string       `json:"regions,omitempty"`
	Resumed       bool           `json:"resumed,omitempty"` // ends a pause; then nothing else is said
}

// pauseSchema is the version that this relight writes and reads.
const pauseSchema = 1

// NewPause returns the text of a pause.
func NewPause(until time.Time, reason string, kinds []catalog.Kind, regions []string) PauseText {
	return PauseText{SchemaVersion: pauseSchema, Until: until.UTC().Truncate(time.Second), Reason: reason, Kinds: kinds, Regions: regions}
}

// Resume returns the text that ends a pause. A deleted parameter would end it too, and
// would take along how long relight was paused before.
func Resume() PauseText { return PauseText{SchemaVersion: pauseSchema, Resumed: true} }

// Encode returns a text as the parameter has it.
func (t PauseText) Encode() string {
	raw, err := json.Marshal(t)
	if err != nil { // texts, numbers and lists of texts always marshal, and so does a year of four digits
		panic(err)
	}
	return string(raw)
}

// Validate returns every problem of a text of a pause, whoever wrote it and when.
func (t PauseText) Validate() error {
	if t.Resumed {
		if !t.Until.IsZero() || t.Reason != "" || len(t.Kinds)+len(t.Regions) > 0 {
			return errors.New("it ends a pause and begins one")
		}
		return nil
	}
	var errs []error
	if t.Until.IsZero() {
		errs = append(errs, errors.New("it has no end"))
	}
	switch n := utf8.RuneCountInString(t.Reason); {
	case strings.TrimSpace(t.Reason) == "":
		errs = append(errs, errors.New("it has no reason"))
	case n > pauseReason:
		errs = append(errs, fmt.Errorf("its reason has %d characters: use up to %d", n, pauseReason))
	case strings.ContainsFunc(t.Reason, func(r rune) bool { return !unicode.IsPrint(r) }):
		errs = append(errs, errors.New("its reason has characters that are not printed: use one line"))
	}
	for _, k := range t.Kinds {
		switch {
		case !slices.Contains(catalog.Kinds(), k):
			errs = append(errs, fmt.Errorf("there is no kind %q: use %s", k, strings.Join(words(catalog.Pausable()), ", ")))
		case !slices.Contains(catalog.Pausable(), k):
			errs = append(errs, fmt.Errorf("%s cannot be paused, because people are notified through it or relight is restored by it: use %s", k, strings.Join(words(catalog.Pausable()), ", ")))
		}
	}
	for _, r := range t.Regions {
		if !catalog.IsRegion(r) {
			errs = append(errs, fmt.Errorf("%q is not an AWS region", r))
		}
	}
	return errors.Join(errs...)
}

// parsePause reads a text strictly.
func parsePause(text string) (PauseText, error) {
	var t PauseText
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&t); err != nil {
		return PauseText{}, fmt.Errorf("not a pause: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return PauseText{}, errors.New("not a pause: something follows it")
	}
	if t.SchemaVersion != pauseSchema {
		return PauseText{}, fmt.Errorf("it has schema_version %d, but this relight reads %d", t.SchemaVersion, pauseSchema)
	}
	return t, t.Validate()
}

// A PauseVersion is a version of the parameter that pauses relight.
type PauseVersion struct {
	Version int64
	Text    string
	By      string    // ARN of who wrote it, as Systems Manager says
	At      time.Time // when, by Systems Manager's clock
}

// These limit pauses. relight counts from the time at which Systems Manager stored a
// pause.
const (
	LongestPause = 12 * time.Hour // of one pause, and of all pauses within pauseWindow together
	pauseWindow  = 24 * time.Hour
	pauseReason  = 200 // characters
)

// pauseSlack allows for clocks that differ, in the end that a person's clock names.
const pauseSlack = time.Minute

// PauseOf returns the pause that is in force, or nil, and what of the parameter a person
// should know. The newest version alone can pause relight, and only if
//
//   - the configuration names who wrote it, as Systems Manager says;
//   - it has an end, no more than LongestPause after Systems Manager stored it;
//   - with the pauses before it, relight is paused no longer than LongestPause in any
//     pauseWindow, and the versions that are kept go far enough back to show that.
//
// Any other newest version pauses nothing, and is a finding unless it ends a pause.
func PauseOf(want catalog.Desired, versions []PauseVersion, now time.Time) (*Pause, []plan.Finding) {
	versions = slices.Clone(versions)
	order.By(versions, func(a, b PauseVersion) int { return cmp.Compare(a.Version, b.Version) })
	var granted []Pause // with the ends that they had
	for i, v := range versions {
		newest := i == len(versions)-1
		p, err := grant(want, v, granted, versions[0])
		switch {
		case err != nil && newest:
			return nil, []plan.Finding{plan.NewFinding(plan.PauseRefused, plan.Args{"parameter": want.PauseParameter(), "by": v.By, "why": err.Error()})}
		case p == nil:
		case newest && p.Until.After(now):
			return p, nil
		default:
			if !newest && versions[i+1].At.Before(p.Until) {
				p.Until = versions[i+1].At
			}
			granted = append(granted, *p)
		}
	}
	return nil, nil
}

// grant returns the pause that a version would be if it is the newest, or nil if it ends
// one, given the pauses before it and the oldest version that is kept. Its error says why
// it pauses nothing.
func grant(want catalog.Desired, v PauseVersion, before []Pause, oldest PauseVersion) (*Pause, error) {
	if !want.MayPause(want.Account, v.By) {
		return nil, errors.New("pause.by in the configuration does not name its author")
	}
	t, err := parsePause(v.Text)
	if err != nil || t.Resumed {
		return nil, err
	}
	p := &Pause{By: v.By, Since: v.At, Until: t.Until, Reason: t.Reason, Kinds: t.Kinds, Regions: t.Regions}
	begin := p.Until.Add(-pauseWindow)
	total := p.Until.Sub(p.Since)
	switch {
	case total <= 0:
		return nil, errors.New("it ended before it began")
	case total > LongestPause+pauseSlack:
		return nil, fmt.Errorf("it is %s long: use up to %s", hours(total), hours(LongestPause))
	}
	for _, b := range before {
		since := b.Since
		if since.Before(begin) {
			since = begin
		}
		total += max(0, b.Until.Sub(since))
	}
	if total > LongestPause+pauseSlack {
		return nil, fmt.Errorf("with the pauses before it, relight would be paused for %s in %s: use up to %s", hours(total), hours(pauseWindow), hours(LongestPause))
	}
	if oldest.Version > 1 && oldest.At.After(begin) {
		return nil, fmt.Errorf("the parameter was written so often that its history does not show how long relight was paused within %s", hours(pauseWindow))
	}
	return p, nil
}

// hours returns a duration in hours and minutes.
func hours(d time.Duration) string {
	d = d.Round(time.Minute)
	h, m := d/time.Hour, d%time.Hour/time.Minute
	switch {
	case m == 0:
		return fmt.Sprintf("%dh", h)
	case h == 0:
		return fmt.Sprintf("%dm", m)
	}
	return fmt.Sprintf("%dh%dm", h, m)
}

func words(kinds []catalog.Kind) []string {
	all := make([]string, len(kinds))
	for i, k := range kinds {
		all[i] = string(k)
	}
	return all
}
