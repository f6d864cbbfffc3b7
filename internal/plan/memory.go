package plan

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// A TrailMemory is what the policy cannot know of the account's trail: what a
// sweep found when the trail was last healthy. It adds to what the policy requires
// and never weakens it: it does not say whether the trail logs, in every region
// and every management event.
type TrailMemory struct {
	Version      int       `json:"v"`
	ARN          string    `json:"arn"`
	Bucket       string    `json:"bucket"`
	Prefix       string    `json:"prefix,omitempty"`
	Topic        string    `json:"topic,omitempty"`    // ARN
	Key          string    `json:"key,omitempty"`      // ARN
	LogGroup     string    `json:"logGroup,omitempty"` // ARN
	OwnGroup     bool      `json:"ownGroup,omitempty"` // relight made the log group: it had relight's tag
	Role         string    `json:"role,omitempty"`     // ARN
	Organization bool      `json:"organization,omitempty"`
	Selectors    Selectors `json:"selectors,omitzero"`
	Short        bool      `json:"short,omitempty"` // the trail's data events had no room, and are not among Selectors
}

// Made reports whether relight remembers that it made a log group, which is given
// by its ARN. Whoever takes the group's tag off cannot take this along.
func (r Recollection) Made(group string) bool {
	return r.Trail != nil && r.Trail.OwnGroup && r.Trail.LogGroup == group
}

// Others reports whether relight remembers a log group, which is given by its ARN, as
// its owner's: no tag that somebody puts on it later makes it relight's. A group that
// was created since then is another one. Its creation is in milliseconds since the epoch.
func (r Recollection) Others(group string, created int64) bool {
	return r.Trail != nil && !r.Trail.OwnGroup && r.Trail.LogGroup == group && created < r.Note.Written
}

// memoryVersion is the version that this relight writes and reads.
const memoryVersion = 1

// A Note is what is kept under a name. Only what relight's sweep wrote counts.
type Note struct {
	Text    string // the newest that the sweep wrote
	Written int64  // when, in milliseconds since the epoch
	Known   bool   // the sweep wrote something that is still kept
	Foreign string // ARN of who wrote the newest version, if it was not the sweep
}

// Missing reports whether nobody wrote any of a note, or somebody deleted all of it.
func (n Note) Missing() bool { return !n.Known && n.Foreign == "" }

// others returns why a note of which the sweep wrote nothing cannot be used, or ""
// if nobody wrote any of it.
func (n Note) others() string {
	if n.Known || n.Foreign == "" {
		return ""
	}
	return "it was last written by " + n.Foreign + ", and relight's sweep wrote none of its versions"
}

// read decodes a note, and returns why it cannot be used, or "". A note that nobody
// wrote changes nothing. The version is a field of what is decoded.
func (n Note) read(into any, version *int) string {
	if !n.Known {
		return n.others()
	}
	text, err := unpacked(n.Text)
	if err == nil {
		dec := json.NewDecoder(strings.NewReader(text))
		dec.DisallowUnknownFields()
		err = dec.Decode(into)
	}
	switch {
	case err != nil:
		return err.Error()
	case *version != memoryVersion:
		return fmt.Sprintf("it has version %d, but this relight reads version %d", *version, memoryVersion)
	}
	return ""
}

// A Recollection is the result of reading the memory.
type Recollection struct {
	Trail      *TrailMemory // nil for nothing
	Unreadable string       // why the memory cannot be used, which is not the same as nothing
	Note       Note
}

// Recollect reads the memory of the trail from a note.
func Recollect(n Note, account, region string) Recollection {
	if !n.Known {
		return Recollection{Unreadable: n.others(), Note: n}
	}
	m, err := DecodeTrailMemory(n.Text, account, region)
	if err != nil {
		return Recollection{Unreadable: err.Error(), Note: n}
	}
	return Recollection{Trail: &m, Note: n}
}

// RestoreMemory writes again what relight remembered before somebody else wrote
// the parameter.
type RestoreMemory struct {
	Parameter string
	Text      string
	Reason    string
}

// Step returns the action as a step of a plan.
func (a RestoreMemory) Step() Step {
	return Step{Thing: "memory", Stage: configure, Do: "restore what relight remembers in " + a.Parameter, Target: a.Parameter, Reason: a.Reason}
}

// A Forget changes what relight remembers because a person said so.
type Forget struct {
	Parameter string
	What      string
	Text      string // what the parameter has then
}

// Step returns the action as a step of a plan.
func (a Forget) Step() Step {
	return Step{Stage: remember, Do: a.What + " in " + a.Parameter, Target: a.Parameter, Reason: "somebody ran relight accept"}
}

// Remembers reports whether an action writes what relight remembers.
func Remembers(a Action) bool {
	switch a.(type) {
	case RememberTrail, RestoreMemory:
		return true
	}
	return false
}

// foreignMemory reports that somebody else wrote what relight remembers, and plans
// to write it again unless the plan does so anyway.
func (p *Plan) foreignMemory(parameter string, n Note) {
	if n.Foreign == "" || !n.Known {
		return
	}
	p.find(MemoryForeign, Args{"parameter": parameter, "by": n.Foreign})
	if !slices.ContainsFunc(p.Actions, func(a Action) bool { return Remembers(a) && a.Step().Target == parameter }) {
		p.Actions = append(p.Actions, RestoreMemory{Parameter: parameter, Text: n.Text, Reason: "it was written by " + n.Foreign})
	}
}

// MemoryOf returns what to remember of a trail, and of whether relight made its log
// group: without its data events, if they have no room in a parameter.
func MemoryOf(t Trail, s Selectors, ownGroup bool) TrailMemory {
	m := TrailMemory{
		Version: memoryVersion, ARN: t.ARN, Bucket: t.Bucket, Prefix: t.Prefix, Topic: t.Topic, Key: t.Key,
		LogGroup: t.LogGroupARN, OwnGroup: ownGroup && t.LogGroupARN != "", Role: t.Role, Organization: t.Organization, Selectors: s.sorted(),
	}
	if len(m.Encode()) > catalog.MemoryChars {
		m.Selectors, m.Short = DefaultSelectors(), true
	}
	return m
}

// A packedMemory is a memory that is too long as it is.
type packedMemory struct {
	Version int    `json:"v"`
	Packed  []byte `json:"packed"` // its JSON, compressed with gzip
}

// Encode returns a memory as the text that DecodeTrailMemory reads: JSON, or the
// same compressed if it would not fit in a parameter.
func (m TrailMemory) Encode() string { return packed(m) }

// packed returns a memory as JSON, or the same compressed if it would not fit in a
// parameter.
func packed(memory any) string {
	text := encoded(memory)
	if len(text) <= catalog.MemoryChars {
		return text
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte(text))
	if err := errors.Join(err, w.Close()); err != nil {
		panic(err) // a buffer takes everything
	}
	return encoded(packedMemory{memoryVersion, packed.Bytes()})
}

func (m TrailMemory) json() string { return encoded(m) }

func encoded(memory any) string {
	raw, err := json.Marshal(memory)
	if err != nil {
		panic(err) // texts, numbers, bytes, and lists and maps of them
	}
	return string(raw)
}

// unpacked returns the JSON of a memory.
func unpacked(text string) (string, error) {
	var some struct {
		Packed json.RawMessage `json:"packed"`
	}
	if err := json.Unmarshal([]byte(text), &some); err != nil {
		return "", fmt.Errorf("not JSON: %w", err)
	}
	if some.Packed == nil {
		return text, nil
	}
	return unpack(text)
}

// maxUnpacked limits what a packed memory may unpack to: anybody may have written it.
const maxUnpacked = 1 << 20

// unpack returns the JSON of a packed memory.
func unpack(text string) (string, error) {
	var p packedMemory
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return "", err
	}
	r, err := gzip.NewReader(bytes.NewReader(p.Packed))
	if err != nil {
		return "", fmt.Errorf("packed: %w", err)
	}
	line := bufio.NewScanner(r) // JSON as Encode writes it is one line
	line.Buffer(nil, maxUnpacked)
	if !line.Scan() {
		return "", fmt.Errorf("packed: %w", cmp.Or(line.Err(), errors.New("nothing")))
	}
	return line.Text(), nil
}

// DecodeTrailMemory reads what Encode wrote, and rejects anything else. The trail
// has to be of the account and region.
func DecodeTrailMemory(text, account, region string) (TrailMemory, error) {
	var version struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal([]byte(text), &version); err != nil {
		return TrailMemory{}, fmt.Errorf("not JSON: %w", err)
	}
	if version.V != memoryVersion {
		return TrailMemory{}, fmt.Errorf("it has version %d, but this relight reads version %d", version.V, memoryVersion)
	}
	text, err := unpacked(text)
	if err != nil {
		return TrailMemory{}, err
	}
	var m TrailMemory
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return TrailMemory{}, err
	}
	m.Selectors = m.Selectors.sorted() // an earlier relight did not sort them
	at := arnOf(m.ARN)
	switch {
	case m.Version != memoryVersion:
		return TrailMemory{}, fmt.Errorf("it has version %d, but this relight reads version %d", m.Version, memoryVersion)
	case !catalog.TrailShape.MatchString(m.ARN) || at.AccountID != account || at.Region != region:
		return TrailMemory{}, fmt.Errorf("%q is not a trail of account %s in %s", m.ARN, account, region)
	case m.Bucket == "":
		return TrailMemory{}, errors.New("it names no bucket")
	case len(m.Selectors.Basic) > 0 && len(m.Selectors.Advanced) > 0:
		return TrailMemory{}, errors.New("it has basic and advanced selectors")
	}
	return m, nil
}

// trail returns a remembered trail as the policy requires it. What the
// configuration names overrides the memory.
func (m TrailMemory) trail(want catalog.TrailSpec) Trail {
	t := Trail{
		ARN: m.ARN, HomeRegion: arnOf(m.ARN).Region, MultiRegion: true, GlobalEvents: true, Validation: true,
		Organization: m.Organization, Bucket: m.Bucket, Prefix: m.Prefix, Topic: m.Topic, Key: m.Key,
		LogGroupARN: m.LogGroup, Role: m.Role,
	}
	return t.pinned(want)
}

// Superseded reports whether the configuration names another log group than the
// one that the trail delivered to.
func (m TrailMemory) Superseded(want catalog.Desired) bool {
	return want.LogGroup.Name != "" && logGroupName(m.LogGroup) != want.LogGroup.Name
}

// A RememberTrail stores what a healthy trail is like.
type RememberTrail struct {
	Parameter string
	Memory    TrailMemory
	Reason    string
	Quiet     bool // only the log group is new, and people were notified when relight made it
}

// Step returns the action as a step of a plan.
func (a RememberTrail) Step() Step {
	return Step{Stage: remember, Do: fmt.Sprintf("remember trail %s in %s: bucket %s, log-group %s", trailName(a.Memory.ARN), a.Parameter, a.Memory.Bucket, cmp.Or(logGroupName(a.Memory.LogGroup), "none")), Target: a.Parameter, Reason: a.Reason, Quiet: a.Quiet}
}

// A TrailField is one remembered setting of a trail, as it was and as it is.
type TrailField struct {
	Name string `json:"name"`
	Was  string `json:"was"` // "" for none
	Now  string `json:"now"`
}

// Changes returns the settings in which a memory differs from an earlier one,
// which may be nil.
func (m TrailMemory) Changes(before *TrailMemory) []TrailField {
	var was TrailMemory
	if before != nil {
		was = *before
	}
	changes := []TrailField{}
	check := func(name, was, now string) {
		if was != now {
			changes = append(changes, TrailField{name, was, now})
		}
	}
	check("trail", was.ARN, m.ARN)
	check("bucket", was.Bucket, m.Bucket)
	check("prefix", was.Prefix, m.Prefix)
	check("key", was.Key, m.Key)
	check("role", was.Role, m.Role)
	check("log group", was.LogGroup, m.LogGroup)
	check("log group made by relight", yes(was.OwnGroup), yes(m.OwnGroup))
	check("topic", was.Topic, m.Topic)
	check("organisation", yes(was.Organization), yes(m.Organization))
	if !sameSelectors(was.Selectors, m.Selectors) {
		check("event selectors", was.Selectors.text(), m.Selectors.text())
	}
	return changes
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func (s Selectors) text() string {
	raw, err := json.Marshal(s)
	if err != nil || s.none() {
		return ""
	}
	return string(raw)
}
