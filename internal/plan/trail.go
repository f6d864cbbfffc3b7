package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// TrailState is what was observed of the account's trail.
type TrailState struct {
	Choice      TrailChoice
	Foreign     string // why the look was about another trail; "" where it was about this one
	Memory      Recollection
	Status      TrailStatus // of the chosen trail, where it exists
	Selectors   Selectors   // of it
	ChangedBy   string      // who updated it last, and when; "" where that was not looked up or is not known
	GroupExists bool        // the log group that it has to be pointed at; see WantedTrailLogGroup
	Seen        []Trail     // every trail there is; all that is read where the scope is about buckets or keys
}

// Kind returns the kind that the state is of.
func (*TrailState) Kind() catalog.Kind { return catalog.Trails }

// TrailStatus is how a trail fares.
type TrailStatus struct {
	Logging       bool
	DeliveryError string // of its log files: an error code of Amazon S3; "" for none
	LogsError     string // of its events to the log group; "" for none
}

// A Trail is a CloudTrail trail as seen from one region, its own or a shadow.
type Trail struct {
	ARN          string
	HomeRegion   string
	MultiRegion  bool
	GlobalEvents bool // of global services
	Validation   bool // of log files
	Organization bool // of an organisation, with all of its accounts
	Bucket       string
	Prefix       string // of the log files' keys
	Topic        string // ARN; told of each log file
	Key          string // ARN; "" for none
	LogGroupARN  string // of the log group it delivers to; "" for none
	Role         string // ARN of the role that delivers there
}

// pinned returns a trail with what the configuration names.
func (t Trail) pinned(want catalog.TrailSpec) Trail {
	t.Bucket = cmp.Or(want.Bucket, t.Bucket)
	t.Key = cmp.Or(want.KeyARN, t.Key)
	t.Role = cmp.Or(want.RoleARN, t.Role)
	return t
}

// CreateTrail creates a deleted trail again.
type CreateTrail struct {
	Trail  Trail
	Reason string
}

// Step returns the action as a step of a plan.
func (a CreateTrail) Step() Step {
	return Step{Stage: updateTrail, Do: fmt.Sprintf("create trail %s to bucket %s and log-group %s", trailName(a.Trail.ARN), a.Trail.Bucket, cmp.Or(logGroupName(a.Trail.LogGroupARN), "none")), Target: a.Trail.ARN, Reason: a.Reason, Makes: a.Trail.ARN}
}

// UpdateTrail makes a trail what Trail says, in one call.
type UpdateTrail struct {
	Trail  Trail
	Reason string
}

// Step returns the action as a step of a plan.
func (a UpdateTrail) Step() Step {
	return Step{Stage: updateTrail, Do: "update trail " + trailName(a.Trail.ARN), Target: a.Trail.ARN, Reason: a.Reason}
}

// StartLogging makes a trail record events.
type StartLogging struct {
	Trail  string // ARN
	Reason string
}

// Step returns the action as a step of a plan.
func (a StartLogging) Step() Step {
	return Step{Stage: startLogging, Do: "start logging of trail " + trailName(a.Trail), Target: a.Trail, Reason: a.Reason, Needs: a.Trail}
}

// PutSelectors says anew which events a trail records.
type PutSelectors struct {
	Trail     string // ARN
	Selectors Selectors
	Reason    string
}

// Step returns the action as a step of a plan.
func (a PutSelectors) Step() Step {
	return Step{Stage: selectEvents, Do: "put event selectors of trail " + trailName(a.Trail), Target: a.Trail, Reason: a.Reason, Needs: a.Trail}
}

// plan plans the account's trail:
//
//	a bucket or key is what was looked at     that a trail leans on it, and no more
//	of another account, or there is none      left alone, and said so; see ChooseTrail
//	to no log group, and never known to have  left alone, with a finding: it may be for
//	  delivered to one, nor configured        something else
//	remembered, and gone                      created again with all it had, and started
//	not logging                               started
//	not all management events                 selectors put; what else they select stays
//	no global events, no validation           updated in one call, with the two below
//	of one region, no organisation any more   where that is remembered or configured
//	no log group, role, key or topic          filled in from memory; else a finding
//	another bucket, prefix, key, role, group  a finding, never reverted and never learned
//	  than remembered
//	CloudTrail cannot deliver                 a finding with its error
//	as wanted, in a look at everything        remembered
//
// One that cannot deliver just now is remembered too: its log group may have
// been deleted a moment ago, and is put back by loggroups.
func (observed *TrailState) plan(want catalog.Desired, got Observed) Plan {
	var p Plan
	s := *observed
	if got.Type == catalog.Bucket || got.Type == catalog.Key {
		return Plan{Touched: watchedOf(s.Seen, got)}
	}
	if s.Foreign != "" {
		p.Skips = append(p.Skips, Skip{"trail " + strings.Join(got.Asked, ", "), s.Foreign})
		return p
	}
	if t, m := s.Choice.Trail, s.Memory.Trail; t != nil && m != nil && m.ARN != t.ARN {
		s.Memory.Trail = nil // as wantedTrail
	}
	for _, f := range s.Choice.Findings {
		f.Alert = s.Choice.Trail == nil // whoever has just deleted it should be heard of
		p.Findings = append(p.Findings, f)
	}
	if s.Choice.Elsewhere != "" {
		p.Skips = append(p.Skips, Skip{"trail", s.Choice.Elsewhere})
	}
	if s.Memory.Unreadable != "" {
		p.Findings = append(p.Findings, Finding{
			Subject: "memory " + want.TrailMemory(),
			Problem: "what is remembered of the trail cannot be used: " + s.Memory.Unreadable,
			Remedy:  "Look at who changed it; relight accept writes it anew from the trail as it is.",
			Alert:   true,
		})
	}
	switch {
	case s.Choice.Gone:
		p.bringBack(want, got.Account, got.Region, s)
	case s.Choice.Trail != nil:
		p.mend(want, got, s)
	}
	for _, name := range got.Asked {
		if t := s.Choice.Trail; t != nil && Called(t.ARN, name) {
			p.Touched = append(p.Touched, name)
		}
	}
	return p
}

// watchedOf returns those of the buckets and keys that the look was about which
// a trail leans on. Nothing about them is relight's to mend.
func watchedOf(trails []Trail, got Observed) []string {
	var touched []string
	for _, name := range got.Asked {
		if slices.ContainsFunc(trails, func(t Trail) bool {
			return got.Type == catalog.Bucket && name == t.Bucket || got.Type == catalog.Key && IsKey(name, t.Key)
		}) {
			touched = append(touched, name)
		}
	}
	return touched
}

// bringBack plans a trail that was deleted.
func (p *Plan) bringBack(want catalog.Desired, account, region string, s TrailState) {
	m := *s.Memory.Trail
	t := m.trail(want.Trail)
	p.trailGroup(want, account, region, t, s)
	p.Actions = append(p.Actions,
		CreateTrail{Trail: t, Reason: "it was deleted; trail.name names another"},
		StartLogging{Trail: t.ARN, Reason: "it is new"})
	if sel := m.Selectors; !sameSelectors(sel, DefaultSelectors()) && !sel.none() {
		if sel.Missing() != "" {
			sel = sel.Repaired(nil)
		}
		p.Actions = append(p.Actions, PutSelectors{Trail: t.ARN, Selectors: sel, Reason: "as remembered"})
	}
}

// mend plans a trail that exists.
func (p *Plan) mend(want catalog.Desired, got Observed, s TrailState) {
	t := *s.Choice.Trail
	to, gaps := wantedTrail(want, got.Account, s)
	if to.LogGroupARN == "" {
		p.Findings = append(p.Findings, Finding{
			Subject: "trail " + t.ARN,
			Problem: "it delivers to no log group, and none is remembered",
			Remedy:  "Give it one and a role: aws cloudtrail update-trail --cloud-watch-logs-log-group-arn --cloud-watch-logs-role-arn.",
		})
		if s.Memory.Trail == nil && !s.Choice.Named {
			return // an owner's, for something else: it is not known to have been more
		}
	}
	if len(gaps) > 0 {
		if t.LogGroupARN == "" && to.LogGroupARN != "" {
			p.trailGroup(want, got.Account, got.Region, to, s)
		}
		p.Actions = append(p.Actions, UpdateTrail{Trail: to, Reason: strings.Join(gaps, ", ")})
	}
	if !s.Status.Logging {
		p.Actions = append(p.Actions, StartLogging{Trail: t.ARN, Reason: "it is stopped"})
	}
	if why := s.Selectors.Missing(); why != "" {
		var remembered *Selectors
		if s.Memory.Trail != nil {
			remembered = &s.Memory.Trail.Selectors
		}
		p.Actions = append(p.Actions, PutSelectors{Trail: t.ARN, Selectors: s.Selectors.Repaired(remembered), Reason: why})
	}
	undelivered := undelivered(t, s.Status)
	moved := moved(want, t, s.Memory.Trail)
	for i := range moved {
		if s.ChangedBy != "" {
			moved[i].Problem += "; changed by " + s.ChangedBy
		}
	}
	p.Findings = append(p.Findings, undelivered...)
	p.Findings = append(p.Findings, moved...)
	if len(p.Actions) > 0 || to.LogGroupARN == "" {
		return
	}
	if len(undelivered) == 0 {
		p.Held++
	}
	if got.Type == "" && len(moved) == 0 && s.Memory.Unreadable == "" {
		p.remember(want, t, s)
	}
}

// remember plans to keep what a healthy trail is like.
func (p *Plan) remember(want catalog.Desired, t Trail, s TrailState) {
	now, reason := MemoryOf(t, s.Selectors), "not remembered yet"
	if m := s.Memory.Trail; m != nil {
		if m.Encode() == now.Encode() {
			return
		}
		reason = "remembered otherwise"
	}
	p.Actions = append(p.Actions, RememberTrail{Parameter: want.TrailMemory(), Memory: now, Reason: reason})
}

// wantedTrail returns a trail as it should be, from the trail as observed, and
// what it lacks of that. Where nothing is remembered of it and the
// configuration does not name it, it may be an owner's that is meant to be as
// it is: then only what policy alone can tell is wanted.
func wantedTrail(want catalog.Desired, account string, s TrailState) (to Trail, gaps []string) {
	t := *s.Choice.Trail
	to = t
	gap := func(missing bool, what string) bool {
		if missing {
			gaps = append(gaps, what)
		}
		return missing
	}
	if gap(!t.GlobalEvents, "it leaves out global services") {
		to.GlobalEvents = true
	}
	if gap(!t.Validation, "its log files are not validated") {
		to.Validation = true
	}
	m := s.Memory.Trail
	if m != nil && m.ARN != t.ARN {
		m = nil // the configuration names another trail than the remembered one
	}
	if (m != nil || s.Choice.Named) && gap(!t.MultiRegion, "it records one region only") {
		to.MultiRegion = true
	}
	from := Trail{Role: want.Trail.RoleARN, Key: want.Trail.KeyARN}
	if m != nil {
		from = m.trail(want.Trail)
	}
	if from.LogGroupARN == "" && want.LogGroup.Name != "" && s.Choice.Named {
		from.LogGroupARN = logGroupARN(t.ARN, account, want.LogGroup.Name)
	}
	if from.LogGroupARN != "" && from.Role != "" && gap(t.LogGroupARN == "", "it delivers to no log group") {
		to.LogGroupARN, to.Role = from.LogGroupARN, from.Role
	}
	if from.Key != "" && gap(t.Key == "", "its log files have no key of yours") {
		to.Key = from.Key
	}
	if from.Topic != "" && gap(t.Topic == "", "its topic is gone") {
		to.Topic = from.Topic
	}
	if from.Organization && gap(!t.Organization, "it leaves out the organisation") {
		to.Organization = true
	}
	return to, gaps
}

// WantedTrailLogGroup returns the ARN of the log group that the trail has to
// be pointed at, "" for none: whether it exists is then part of the look.
func WantedTrailLogGroup(want catalog.Desired, account string, s TrailState) string {
	if s.Choice.Gone {
		return s.Memory.Trail.LogGroup
	}
	if s.Choice.Trail == nil || s.Choice.Trail.LogGroupARN != "" {
		return ""
	}
	to, _ := wantedTrail(want, account, s)
	return to.LogGroupARN
}

// trailGroup plans the log group that a trail is about to be pointed at, which
// has to exist by then. The health of one that does is loggroups' business.
func (p *Plan) trailGroup(want catalog.Desired, account, region string, t Trail, s TrailState) {
	group := arnOf(t.LogGroupARN)
	if t.LogGroupARN == "" || s.GroupExists || group.AccountID != account || group.Region != region {
		return
	}
	wanted := logGroupWant{logGroupName(t.LogGroupARN), want.LogGroup.RetentionDays, byTrail}
	p.logGroup(want, Observed{Account: account, Region: region}, wanted, LogGroup{}, false)
}

// Moved reports whether a trail has another destination than the accepted one:
// who changed it is then worth looking up.
func Moved(want catalog.Desired, s TrailState) bool {
	t, m := s.Choice.Trail, s.Memory.Trail
	if t == nil {
		return false
	}
	if m != nil && m.ARN != t.ARN {
		m = nil
	}
	return len(moved(want, *t, m)) > 0
}

// moved returns a finding for each destination of a trail that is not the
// accepted one: as configured, or else as remembered. What is empty now was
// stripped, and is filled in again; but a prefix may be meant to be empty.
func moved(want catalog.Desired, t Trail, m *TrailMemory) []Finding {
	var findings []Finding
	check := func(what, key, now, pinned, remembered string) {
		accepted, by := remembered, "remembered"
		if pinned != "" {
			accepted, by = pinned, "configured"
		}
		if now == accepted || now == "" && what != "prefix" || m == nil && pinned == "" {
			return
		}
		remedy := "If that was meant, run relight accept"
		if key != "" {
			remedy += " or set " + key
		}
		findings = append(findings, Finding{
			Subject: "trail " + t.ARN,
			Problem: fmt.Sprintf("its %s is %s; %s is %s", what, cmp.Or(now, "none"), by, cmp.Or(accepted, "none")),
			Remedy:  remedy + "; if not, change it back: its log files may be somebody else's.",
			Alert:   true,
		})
	}
	var was TrailMemory
	if m != nil {
		was = *m
	}
	check("bucket", "trail.bucket", t.Bucket, want.Trail.Bucket, was.Bucket)
	check("prefix", "", t.Prefix, "", was.Prefix)
	check("key", "trail.keyArn", t.Key, want.Trail.KeyARN, was.Key)
	check("role", "trail.roleArn", t.Role, want.Trail.RoleARN, was.Role)
	check("log group", "", t.LogGroupARN, "", was.LogGroup)
	return findings
}

// undelivered returns a finding for each delivery of a trail that fails.
func undelivered(t Trail, s TrailStatus) []Finding {
	var findings []Finding
	if s.DeliveryError != "" {
		findings = append(findings, Finding{
			Subject: "trail " + t.ARN,
			Problem: fmt.Sprintf("its log files do not reach bucket %s: %s", t.Bucket, s.DeliveryError),
			Remedy:  "See that the bucket exists, that its policy lets CloudTrail write, and that the key, if any, is enabled.",
		})
	}
	if s.LogsError != "" {
		findings = append(findings, Finding{
			Subject: "trail " + t.ARN,
			Problem: fmt.Sprintf("its events do not reach log group %s: %s", logGroupName(t.LogGroupARN), s.LogsError),
			Remedy:  "See that role " + t.Role + " exists, trusts CloudTrail and may write there. If the log group has just come back, the next delivery clears this.",
		})
	}
	return findings
}

func (s Selectors) none() bool { return len(s.Basic)+len(s.Advanced) == 0 }

func sameSelectors(a, b Selectors) bool {
	return MemoryOf(Trail{}, a).Encode() == MemoryOf(Trail{}, b).Encode()
}
