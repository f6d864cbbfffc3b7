package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// TrailState is what was observed of the account's trail.
type TrailState struct {
	Choice      TrailChoice
	Foreign     string // why the event is about another trail; "" if it is about this one
	Memory      Recollection
	Status      TrailStatus // of the chosen trail, if it exists
	Selectors   Selectors   // of the chosen trail
	OwnGroup    bool        // relight made its log group, as the tag or the memory says; read only in an observation of everything
	NoRole      *NoRole     // the role of the chosen trail does not exist; read in an observation of everything, and if events do not arrive
	ChangedBy   string      // who updated it last, and when; "" if that was not read or is not known
	GroupExists bool        // whether the log group that it has to deliver to exists; see WantedTrailLogGroup
	Listed      int         // how many trails the region lists, with shadows; 0 except in an observation of everything
	Seen        []Trail     // every trail; nothing else is read if the scope is about buckets or keys

	GroupKeys []string // ARNs of the keys of the trails' log groups, if the scope is about keys

	OnRoles map[string][]string // the roles that have a managed policy, by its ARN, if the scope is about such policies
	OnTrail *Trail              // a trail that delivers with one of the roles that the scope is about
}

// Kind returns the kind that the state is of.
func (*TrailState) Kind() catalog.Kind { return catalog.Trails }

// TrailStatus says whether a trail logs and delivers.
type TrailStatus struct {
	Logging       bool
	DeliveryError string // of its log files: an error code of Amazon S3 or AWS KMS; "" for none
	LogsError     string // of its events to the log group; "" for none
	TopicError    string // of its notifications: an error code of Amazon SNS; "" for none
}

// NoRole says that a trail's role does not exist.
type NoRole struct {
	Namesake string // ARN of a role that has its name, but another path; "" for none
}

// And returns what people should know about the namesake, to continue a sentence
// about the role.
func (n NoRole) And() string {
	if n.Namesake == "" {
		return ""
	}
	return ", and " + n.Namesake + " has its name"
}

// A Trail is a CloudTrail trail as one region shows it: its home region, or
// another that has a shadow of it.
type Trail struct {
	ARN          string
	HomeRegion   string
	MultiRegion  bool
	GlobalEvents bool // of global services
	Validation   bool // of log files
	Organization bool // of an organisation, with all of its accounts
	Selective    bool // its event selectors are not those of a new trail
	Bucket       string
	Prefix       string // of the log files' keys
	Topic        string // ARN; notified of each log file
	Key          string // ARN; "" for none
	LogGroupARN  string // of the log group it delivers to; "" for none
	Role         string // ARN of the role that delivers there
}

// pinned returns a trail with the settings that the configuration names.
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
	return Step{Thing: "trail", Stage: updateTrail, Do: fmt.Sprintf("create trail %s to bucket %s and log-group %s", trailName(a.Trail.ARN), a.Trail.Bucket, cmp.Or(logGroupName(a.Trail.LogGroupARN), "none")), Target: a.Trail.ARN, Reason: a.Reason, Makes: a.Trail.ARN}
}

// UpdateTrail changes a trail to what Trail says. If CloudTrail refuses an
// optional part, the rest is restored without that part.
type UpdateTrail struct {
	Trail  Trail
	Was    Trail // as it was observed
	Reason string
}

// Step returns the action as a step of a plan.
func (a UpdateTrail) Step() Step {
	return Step{Thing: "settings of trail", Stage: updateTrail, Do: "update trail " + trailName(a.Trail.ARN), Target: a.Trail.ARN, Reason: a.Reason}
}

// StartLogging makes a trail record events.
type StartLogging struct {
	Trail  string // ARN
	Reason string
}

// Step returns the action as a step of a plan.
func (a StartLogging) Step() Step {
	return Step{Thing: "logging of trail", Stage: startLogging, Do: "start logging of trail " + trailName(a.Trail), Target: a.Trail, Reason: a.Reason, Needs: a.Trail}
}

// PutSelectors sets which events a trail records.
type PutSelectors struct {
	Trail     string // ARN
	Selectors Selectors
	Instead   []Selectors // to set if CloudTrail refuses Selectors, in this order
	Reason    string
}

// Step returns the action as a step of a plan.
func (a PutSelectors) Step() Step {
	return Step{Thing: "event selectors of trail", Stage: selectEvents, Do: "put event selectors of trail " + trailName(a.Trail), Target: a.Trail, Reason: a.Reason, Needs: a.Trail}
}

// plan plans the account's trail:
//
//	the region lists as many trails as it takes a finding: a deleted trail could not be created again
//	the event names a bucket or a key           only whether a trail depends on it
//	the event names a trail that was created    whether it is another than the protected one, which
//	                                            relight itself creates
//	the event names a role or a policy          whether a trail delivers with it, and a finding if
//	                                            that trail cannot deliver; never changed
//	the event names a memory of relight's       its caller is reported
//	somebody else wrote the memory of the       a finding, and the sweep writes it again
//	 trail
//	it is of another account, or there is none  skipped or a finding; see ChooseTrail
//	it records no management events, only       a finding, unless it is named, remembered, or has
//	 others                                     relight's filters on its log group
//	it delivers to no log group, and none is    a finding and nothing else: it may serve another
//	 remembered or configured                   purpose
//	it is remembered and does not exist         created with everything it had, and started
//	it does not log                             started, even if relight does not remember it: the
//	                                            account has no other trail, see ChooseTrail
//	it records not all management events        selectors are set; other events stay selected as far
//	                                            as CloudTrail's limits allow
//	CloudTrail refuses an optional part         the rest is restored without that part
//	it records fewer other events than          selectors are set: they are what is selected now and
//	 remembered                                 what is remembered
//	it has no global events or no validation    updated, together with the two rows below
//	it records one region or left the           updated if memory or the configuration says so
//	 organisation
//	it lacks log group, role, key or topic      filled in from memory, else a finding
//	its bucket, prefix, key, role, log group    a finding; never changed back and never remembered
//	 or topic is not the remembered one
//	CloudTrail cannot deliver                   a finding with the error
//	it is as desired, in a sweep                remembered, unless it is of another account
//
// A trail that cannot deliver at the moment is remembered too: its log group may
// have been deleted a moment ago, and the kind loggroups restores it.
func (observed *TrailState) plan(want catalog.Desired, got Observed) Plan {
	var p Plan
	s := *observed
	switch got.Type {
	case catalog.Bucket, catalog.Key:
		return Plan{Touched: watchedOf(s, got)}
	case catalog.Parameter: // the event itself says who wrote what relight remembers, and the sweep writes it again
		p.Touched = slices.DeleteFunc(slices.Clone(got.Asked), func(name string) bool {
			return !strings.HasPrefix(name, want.Memories()) && name != want.PauseParameter()
		})
		return p
	}
	if got.Type == catalog.NewTrail {
		p.touch(got, catalog.NewTrail, slices.DeleteFunc(slices.Clone(got.Asked), func(name string) bool { return isProtected(want, s.Memory, name) })...)
		return p
	}
	if got.Type == catalog.Role || got.Type == catalog.IAMPolicy {
		p.Touched = observed.touchedRoles(got)
		if t := s.OnTrail; t != nil {
			p.Findings = undelivered(*t, s)
		}
		return p
	}
	if s.Foreign != "" {
		p.Skips = append(p.Skips, Skip{"trail " + strings.Join(got.Asked, ", "), s.Foreign})
		return p
	}
	if t, m := s.Choice.Trail, s.Memory.Trail; t != nil && m != nil && m.ARN != t.ARN {
		s.Memory.Trail = nil // as wantedTrail
	}
	for _, f := range s.Choice.Findings {
		f.Alert = s.Choice.Trail == nil // somebody may have just deleted it
		p.Findings = append(p.Findings, f)
	}
	if s.Choice.Elsewhere != "" {
		p.Skips = append(p.Skips, Skip{"trail", s.Choice.Elsewhere})
	}
	if s.Memory.Unreadable != "" {
		p.find(TrailMemoryUnusable, Args{"parameter": want.TrailMemory(), "error": s.Memory.Unreadable})
	}
	if s.Listed >= catalog.TrailsPerRegion {
		p.find(TrailSlotsFull, Args{"account": got.Account, "region": got.Region, "count": strconv.Itoa(s.Listed), "limit": strconv.Itoa(catalog.TrailsPerRegion)})
	}
	switch {
	case s.Choice.Gone:
		p.bringBack(want, got.Account, got.Region, s)
	case s.Choice.Trail != nil:
		p.existing(want, got, s)
	}
	if got.Type == "" {
		if s.Memory.Unreadable == "" {
			p.Memory = &s.Memory.Note
		}
		p.foreignMemory(want.TrailMemory(), s.Memory.Note)
	}
	for _, name := range got.Asked {
		if t := s.Choice.Trail; t != nil && Called(t.ARN, name) {
			p.Touched = append(p.Touched, name)
		}
	}
	return p
}

// isProtected reports whether a name or ARN is that of the trail which relight
// protects, as far as configuration and memory say.
func isProtected(want catalog.Desired, memory Recollection, name string) bool {
	if want.Trail.Name != "" {
		return Called(name, want.Trail.Name) || Called(want.Trail.Name, name)
	}
	return memory.Trail != nil && Called(memory.Trail.ARN, name)
}

// watchedOf returns which of the buckets and keys that were asked about a trail
// depends on. relight changes none of them.
func watchedOf(s TrailState, got Observed) []string {
	var touched []string
	for _, name := range got.Asked {
		if slices.ContainsFunc(s.Seen, func(t Trail) bool {
			return got.Type == catalog.Bucket && name == t.Bucket || got.Type == catalog.Key && IsKey(name, t.Key)
		}) || got.Type == catalog.Key && slices.ContainsFunc(s.GroupKeys, func(key string) bool { return IsKey(name, key) }) {
			touched = append(touched, name)
		}
	}
	return touched
}

// DeliversWith returns the first trail that delivers with one of the roles that
// were asked about, or with a role that has one of the policies, or nil. If the
// event named nothing, it returns the first trail with a role of the account.
func (s *TrailState) DeliversWith(account string, of catalog.ResourceType, names []string) *Trail {
	for _, t := range s.Seen {
		if arnOf(t.Role).AccountID != account {
			continue
		}
		if len(names) == 0 || slices.ContainsFunc(names, func(name string) bool { return s.isRoleOf(t, of, name) }) {
			return &t
		}
	}
	return nil
}

// isRoleOf reports whether a name is a trail's role, or a policy on it. IAM does not
// distinguish names by case.
func (s *TrailState) isRoleOf(t Trail, of catalog.ResourceType, name string) bool {
	role := roleName(t.Role)
	return of == catalog.Role && strings.EqualFold(name, role) || of == catalog.IAMPolicy && slices.Contains(s.OnRoles[name], role)
}

// touchedRoles returns which of the roles or policies that were asked about a
// trail delivers with. relight changes none of them.
func (s *TrailState) touchedRoles(got Observed) []string {
	var touched []string
	for _, name := range got.Asked {
		if s.DeliversWith(got.Account, got.Type, []string{name}) != nil {
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
		CreateTrail{Trail: t, Reason: "it was deleted; to protect another trail instead, set trail.name"},
		StartLogging{Trail: t.ARN, Reason: "a new trail does not log yet"})
	if sel := m.Selectors; !sameSelectors(sel, DefaultSelectors()) && !sel.none() {
		if sel.Missing() != "" {
			sel = sel.Repaired(nil)
		}
		p.Actions = append(p.Actions, putSelectors(t.ARN, "as remembered", sel, nil))
	}
	if m.Short {
		p.find(TrailMemoryShort, Args{"trail": t.ARN})
	}
}

// existing plans a trail that exists.
func (p *Plan) existing(want catalog.Desired, got Observed, s TrailState) {
	t := *s.Choice.Trail
	to, gaps := wantedTrail(want, got.Account, s)
	if to.LogGroupARN == "" {
		p.find(TrailNoLogGroup, Args{"trail": t.ARN})
		if s.Memory.Trail == nil && !s.Choice.Named {
			return // it may serve another purpose, and is not known to have had more
		}
	}
	if len(gaps) > 0 {
		p.trailGroup(want, got.Account, got.Region, to, s)
		p.Actions = append(p.Actions, UpdateTrail{Trail: to, Was: t, Reason: strings.Join(gaps, ", ")})
	}
	if !s.Status.Logging {
		p.Actions = append(p.Actions, StartLogging{Trail: t.ARN, Reason: "it does not log"})
	}
	var remembered *Selectors
	if s.Memory.Trail != nil {
		remembered = &s.Memory.Trail.Selectors
	}
	switch why := s.Selectors.Missing(); {
	case why != "":
		p.Actions = append(p.Actions, putSelectors(t.ARN, why, s.Selectors.Repaired(remembered), remembered))
	case remembered != nil:
		if lost := s.Selectors.forgot(*remembered); lost != "" {
			p.Actions = append(p.Actions, putDataEvents(t.ARN, "it no longer records "+lost, s.Selectors, *remembered))
		}
	}
	undelivered := undelivered(t, s)
	moved := moved(want, s)
	p.Findings = append(p.Findings, undelivered...)
	p.Findings = append(p.Findings, moved...)
	if len(p.Actions) > 0 || to.LogGroupARN == "" {
		return
	}
	if len(undelivered) == 0 {
		p.Healthy++
	}
	if got.Type == "" && len(moved) == 0 && s.Memory.Unreadable == "" && arnOf(t.ARN).AccountID == got.Account {
		p.remember(want, t, s)
	}
}

// remember plans to remember a healthy trail.
func (p *Plan) remember(want catalog.Desired, t Trail, s TrailState) {
	now, reason := MemoryOf(t, s.Selectors, s.OwnGroup), "it is not remembered yet"
	if m := s.Memory.Trail; now.Short && m != nil { // what does not fit makes relight forget nothing
		if now.Selectors = m.Selectors; len(now.Encode()) > catalog.MemoryChars {
			now.Selectors = DefaultSelectors()
		}
	}
	if now.Short {
		p.find(TrailMemoryShort, Args{"trail": t.ARN})
	}
	quiet := false
	if m := s.Memory.Trail; m != nil {
		if m.json() == now.json() {
			return
		}
		reason = "it changed since it was remembered"
		for _, c := range now.Changes(m) {
			reason += fmt.Sprintf("; %s: was %.120s, now %.120s", c.Name, cmp.Or(c.Was, "none"), cmp.Or(c.Now, "none"))
		}
		made := *m
		if made.OwnGroup = now.OwnGroup; made.json() == now.json() {
			reason, quiet = "relight made its log group", true
		}
	}
	p.Actions = append(p.Actions, RememberTrail{Parameter: want.TrailMemory(), Memory: now, Reason: reason, Quiet: quiet})
}

// wantedTrail returns the observed trail with what it should have, and what it
// lacks. If relight remembers nothing of the trail and the configuration does not
// name it, its owner may want it as it is: then only what the policy requires of
// every trail is desired.
func wantedTrail(want catalog.Desired, account string, s TrailState) (to Trail, gaps []string) {
	t := *s.Choice.Trail
	to = t
	gap := func(missing bool, what string) bool {
		if missing {
			gaps = append(gaps, what)
		}
		return missing
	}
	if gap(!t.GlobalEvents, "it omits the events of global services") {
		to.GlobalEvents = true
	}
	if gap(!t.Validation, "log file validation is off") {
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
	if from.Key != "" && gap(t.Key == "", "its log files are not encrypted with a KMS key") {
		to.Key = from.Key
	}
	if from.Topic != "" && gap(t.Topic == "", "its topic was removed") {
		to.Topic = from.Topic
	}
	if from.Organization && gap(!t.Organization, "it no longer covers the organisation") {
		to.Organization = true
	}
	return to, gaps
}

// WantedTrailLogGroup returns the ARN of the log group that a trail needs which
// relight is about to create or update, or "": CloudTrail refuses both if the log
// group does not exist. The observer reads whether it exists.
func WantedTrailLogGroup(want catalog.Desired, account string, s TrailState) string {
	if s.Choice.Gone {
		return s.Memory.Trail.LogGroup
	}
	if s.Choice.Trail == nil {
		return ""
	}
	to, gaps := wantedTrail(want, account, s)
	if len(gaps) == 0 {
		return ""
	}
	return to.LogGroupARN
}

// trailGroup plans the log group that a trail is about to deliver to, if it does
// not exist. If it exists, the kind loggroups plans it.
func (p *Plan) trailGroup(want catalog.Desired, account, region string, t Trail, s TrailState) {
	group := arnOf(t.LogGroupARN)
	if t.LogGroupARN == "" || s.GroupExists || group.AccountID != account || group.Region != region {
		return
	}
	wanted := logGroupWant{logGroupName(t.LogGroupARN), want.LogGroup.RetentionDays, byTrail}
	p.logGroup(want, Observed{Account: account, Region: region}, wanted, LogGroup{}, false)
}

// Moved reports whether a trail has another destination than the accepted one.
// The observer then reads who changed it.
func Moved(want catalog.Desired, s TrailState) bool {
	return s.Choice.Trail != nil && len(moved(want, s)) > 0
}

// moved returns a finding for each destination of a trail that is not the
// accepted one: the configured one, or else the remembered one. An empty
// destination was removed and is filled in again, except that a prefix may be
// empty on purpose.
func moved(want catalog.Desired, s TrailState) []Finding {
	var findings []Finding
	t, m, by := *s.Choice.Trail, s.Memory.Trail, ""
	if m != nil && m.ARN != t.ARN {
		m = nil
	}
	if s.ChangedBy != "" {
		by = "; changed by " + s.ChangedBy
	}
	check := func(code Code, now, pinned, remembered string) {
		accepted, source := remembered, "remembered"
		if pinned != "" {
			accepted, source = pinned, "configured"
		}
		if now == accepted || now == "" && code != TrailPrefixChanged || m == nil && pinned == "" {
			return
		}
		findings = append(findings, NewFinding(code, Args{
			"trail": t.ARN, "now": cmp.Or(now, "none"), "source": source, "accepted": cmp.Or(accepted, "none"), "by": by,
		}))
	}
	var was TrailMemory
	if m != nil {
		was = *m
	}
	check(TrailBucketChanged, t.Bucket, want.Trail.Bucket, was.Bucket)
	check(TrailPrefixChanged, t.Prefix, "", was.Prefix)
	check(TrailKeyChanged, t.Key, want.Trail.KeyARN, was.Key)
	check(TrailRoleChanged, t.Role, want.Trail.RoleARN, was.Role)
	check(TrailLogGroupChanged, t.LogGroupARN, "", was.LogGroup)
	check(TrailTopicChanged, t.Topic, "", was.Topic)
	return findings
}

// undelivered returns a finding for each delivery of a trail that fails.
func undelivered(t Trail, state TrailState) []Finding {
	var findings []Finding
	s := state.Status
	if s.DeliveryError != "" {
		findings = append(findings, NewFinding(TrailFilesUndelivered, Args{"trail": t.ARN, "bucket": t.Bucket, "error": s.DeliveryError}))
	}
	switch {
	case state.NoRole != nil && t.LogGroupARN != "":
		findings = append(findings, NewFinding(TrailRoleMissing, Args{
			"trail": t.ARN, "group": logGroupName(t.LogGroupARN), "error": cmp.Or(s.LogsError, "CloudTrail has not reported it yet"), "role": t.Role, "namesake": state.NoRole.And(), "service": catalog.CloudTrailService,
		}))
	case s.LogsError != "":
		findings = append(findings, NewFinding(TrailEventsUndelivered, Args{
			"trail": t.ARN, "group": logGroupName(t.LogGroupARN), "error": s.LogsError, "role": t.Role,
		}))
	}
	if s.TopicError != "" && t.Topic != "" {
		findings = append(findings, NewFinding(TrailNotificationsUndelivered, Args{"trail": t.ARN, "topic": t.Topic, "error": s.TopicError}))
	}
	return findings
}

func (s Selectors) none() bool { return len(s.Basic)+len(s.Advanced) == 0 }

func sameSelectors(a, b Selectors) bool {
	return TrailMemory{Selectors: a.sorted()}.json() == TrailMemory{Selectors: b.sorted()}.json()
}
