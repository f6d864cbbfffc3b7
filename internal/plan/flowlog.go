package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// FlowLogState is what was observed of the VPCs in scope.
type FlowLogState struct {
	Networks  []Network
	Gone      []Network              // named by the scope or by one of relight's flow logs, but not known to EC2
	LogGroups map[string]LogGroup    // by name: those that flow logs deliver to, and relight's own if it exists
	Buckets   []string               // that flow logs deliver to; read if the scope is about buckets
	Streams   []string               // the same for Firehose streams
	Own       map[string]BucketState // by name: of relight's own flow logs; read in a sweep, for an event about the bucket, and after a failed delivery

	// Read only in an observation of everything.
	Account []GroupRule // account-wide policies that transform records
	Unread  []Finding   // about what could not be read and is not needed to plan

	Records *Records // of relight's own log group, and who counts them; nil if that was not read

	// What relight's own flow logs need to deliver; read only if one FAILED.
	Role *DeliveryRoleState
	Keys map[string]string // ARN of a log group's key to what is wrong with it; "" for nothing
}

// Kind returns the kind that the state is of.
func (*FlowLogState) Kind() catalog.Kind { return catalog.FlowLogs }

// IDs returns the IDs of the networks that the state is about.
func (s *FlowLogState) IDs() (ids []string) {
	for _, n := range slices.Concat(s.Networks, s.Gone) {
		ids = append(ids, n.ID)
	}
	return ids
}

// A Network is a VPC, subnet or network interface, and the flow logs on it. A flow log
// of a VPC records what its subnets' and interfaces' own ones record.
type Network struct {
	ID       string
	Owner    string // account ID
	Exempt   bool   // has the tag that exempts it, if the configuration allows such a tag
	Unchosen bool   // a subnet or network interface that the configuration does not choose, with a flow log of relight's own
	FlowLogs []FlowLog
}

// A FlowLog is one VPC flow log, as EC2 describes it.
type FlowLog struct {
	ID            string
	Status        string // ACTIVE is the only documented value
	Age           int64  // seconds since EC2 created it; 0 if that is not known
	Delivery      string // DeliverLogsStatus: SUCCESS from the first second on, or FAILED
	DeliveryError string // Rate limited, Access error, Unknown error
	TrafficType   string
	Format        string
	Aggregation   int32  // seconds; 0 for EC2's default
	Destination   string // destination type
	LogGroup      string // name; "" for other destinations
	Where         string // ARN of the log group, bucket or stream it delivers to
	Folder        string // in that bucket
	Files         catalog.Files
	Role          string // ARN of the role it delivers with; "" for none
	Ours          bool   // has two of relight's tag, log group and role: anybody can set or remove a tag
	Untagged      bool   // it is Ours, and its tag was removed
}

// Deliveries.
const (
	failed   = "FAILED"
	delivers = "SUCCESS"
)

// Failed reports whether EC2 says that the flow log cannot deliver. An error
// message says so whatever the status is.
func (fl FlowLog) Failed() bool { return fl.Delivery == failed || fl.DeliveryError != "" }

// Into reports whether the flow log delivers where relight's own do.
func (fl FlowLog) Into(want catalog.FlowLogSpec) bool {
	if group := want.OwnGroup(); group != "" || want.To.ARN == "" {
		return group != "" && fl.LogGroup == group
	}
	where := fl.Where
	if fl.Folder != "" {
		where += "/" + fl.Folder
	}
	return fl.Destination == want.ToType() && where == want.To.ARN
}

// TagFlowLog puts relight's tags on a flow log again.
type TagFlowLog struct {
	ID     string
	On     string
	Tags   map[string]string
	Reason string
}

// Step returns the action as a step of a plan.
func (a TagFlowLog) Step() Step {
	return Step{Thing: "tags of flow log", Stage: configure, Do: fmt.Sprintf("tag flow-log %s of %s", a.ID, a.On), Target: a.ID, Reason: a.Reason}
}

// CreateFlowLog puts a flow log on a VPC, subnet or network interface.
type CreateFlowLog struct {
	On     string
	Spec   catalog.FlowLogSpec
	Role   string // ARN of the role that delivers; "" if nothing is deployed
	Tags   map[string]string
	Reason string
	Renews bool // the VPC has a flow log that satisfies the policy, and it is an outdated one of relight's
}

// Step returns the action as a step of a plan.
func (a CreateFlowLog) Step() Step {
	stage := protect
	if a.Renews {
		stage = renew
	}
	return Step{Thing: "flow log of", Stage: stage, Do: fmt.Sprintf("create flow-log on %s to %s", a.On, a.Spec.Where()), Target: a.On, Reason: a.Reason}
}

// plan plans the flow logs of the observed VPCs and the log groups behind
// them:
//
//	the VPC does not exist                  relight's flow logs on it are deleted, if AWS left any
//	relight's own lost its tag              it is tagged again
//	the VPC is exempt or shared             skipped; a finding if an event names a VPC that a tag exempts,
//	                                        or a sweep finds one where no events reach relight
//	a flow log satisfies the policy         healthy; only its log group is planned
//	relight's flow log FAILED               a finding: a new one would fail for the same cause
//	no flow log satisfies the policy        relight's flow log is created beside the others
//	another's does, and nobody adopted it   likewise, with a finding
//
// An observation of everything also plans the removals that surplus returns, and
// then the flow logs that renewal returns.
//
// The log group of relight's own flow logs always has to be healthy. That of any
// other flow log has to be only if the VPC has no other healthy one.
func (state *FlowLogState) plan(want catalog.Desired, got Observed) Plan {
	want.FlowLogs = want.FlowLogs.In(got.Region)
	p := Plan{Touched: state.watched(want, got)}
	p.Findings = append(p.Findings, state.Unread...)
	judged := map[catalog.Destined]bool{} // types of resources may share a destination
	for _, spec := range want.FlowLogs.All(got.Region) {
		if !judged[spec.To] {
			p.bucket(spec, got, state)
		}
		judged[spec.To] = true
	}
	var unadopted []string      // destinations of others' flow logs that would satisfy the policy, had somebody adopted them
	needed := map[string]bool{} // names of log groups that have to be healthy
	for _, n := range state.Gone {
		p.Actions = append(p.Actions, leftover(n)...)
		p.Skips = append(p.Skips, Skip{n.ID, "it does not exist"})
	}
	for _, n := range state.Networks {
		if slices.Contains(want.FlowLogs.Chosen[catalog.NetworkType(n.ID)].IDs, n.ID) {
			p.Named = append(p.Named, n.ID)
		}
		want := want.For(n.ID, got.Region)
		if reason := skipped(want.FlowLogs, got.Account, n); reason != "" {
			if n.Unchosen {
				p.touch(got, catalog.NetworkType(n.ID), n.ID)
			}
			p.Skips = append(p.Skips, Skip{n.ID, reason + kept(want.FlowLogs, n)})
			for _, fl := range n.FlowLogs {
				if fl.Ours && !byTag(want.FlowLogs, n) {
					p.Unwanted = append(p.Unwanted, DeleteFlowLog{ID: fl.ID, On: n.ID, Reason: "it is relight's own, and " + n.ID + " is " + reason})
				}
			}
			if justExempted(want, got, n) {
				p.find(VPCExemptByTag, Args{"on": n.ID, "tag": catalog.ExemptTag})
			}
			continue
		}
		var removals []Action
		if got.Type == "" {
			removals = surplus(want, got.Adopted, n)
			p.Actions = append(p.Actions, removals...)
			n.FlowLogs = without(n.FlowLogs, removals)
		}
		for _, fl := range n.FlowLogs {
			if fl.Untagged {
				p.Actions = append(p.Actions, TagFlowLog{ID: fl.ID, On: n.ID, Tags: want.Tags, Reason: "it is relight's by its destination and role, and its tag was removed"})
			}
		}
		strange := func(fl FlowLog) bool { return !relies(want, got.Adopted, fl) }
		theirs := slices.DeleteFunc(slices.Clone(n.FlowLogs), func(fl FlowLog) bool { return !strange(fl) || !works(want.FlowLogs, fl) })
		reason, broken := unsatisfied(want, got.Adopted, n.FlowLogs)
		sound := slices.ContainsFunc(n.FlowLogs, func(fl FlowLog) bool {
			group, exists := state.LogGroups[fl.LogGroup]
			return !strange(fl) && works(want.FlowLogs, fl) && (fl.LogGroup == "" || exists && keeps(group, want.FlowLogs.RetentionDays))
		})
		for _, fl := range n.FlowLogs {
			current := fl.Into(want.FlowLogs)
			if fl.Failed() && (current || !fl.Ours || reason != "") { // an old one of relight's goes once the new one is proven
				p.Findings = append(p.Findings, deliveryFailure(want, state, n, fl))
			}
			if fl.LogGroup != "" && !strange(fl) && Satisfies(want.FlowLogs, fl) == "" && (fl.Ours && current || !sound) {
				needed[fl.LogGroup] = true
			}
		}
		create := CreateFlowLog{On: n.ID, Spec: want.FlowLogs, Role: want.DeliveryRole, Tags: want.Tags, Reason: reason}
		switch {
		case reason == "":
			p.Healthy++
			p.adopts(nil, nil, reliedOn(want, n.FlowLogs))
			if got.Type == "" && len(removals) == 0 {
				create.Reason, create.Renews = renewal(want.FlowLogs, n.FlowLogs), true
			}
		case broken:
			needed[want.FlowLogs.OwnGroup()] = true
		}
		if create.Reason != "" && !broken {
			needed[want.FlowLogs.OwnGroup()] = true
			p.Actions = append(p.Actions, create)
			for _, fl := range theirs {
				if !create.Renews {
					unadopted = append(unadopted, fl.Where)
				}
			}
		}
	}
	delete(needed, "") // flow logs to buckets and streams need no log group
	p.notAdopted(catalog.Adoption{FlowLogs: unadopted})
	for name, group := range state.LogGroups {
		if !needed[name] && (got.Type == "" || got.Type == catalog.LogGroup && slices.Contains(got.Asked, name)) {
			p.kept(got.Region, group)
			if floor := got.Adopted.Floors.floor(got.Region, name, want.FlowLogs.RetentionDays); longer(floor, group.RetentionDays) && keeps(group, want.FlowLogs.RetentionDays) {
				p.shortened(got.Region, group, floor)
			}
		}
	}
	p.records(want, got, state, needed[want.FlowLogs.LogGroup])
	for name := range needed {
		group, exists := state.LogGroups[name]
		p.touch(got, catalog.LogGroup, name)
		p.logGroup(want, got, logGroupWant{name, want.FlowLogs.RetentionDays, byFlowLogs}, group, exists)
		p.seen(state, name, OwnsGroup(want, name))
	}
	return p
}

// watched returns which of the buckets, keys and regions that were asked about
// flow logs depend on. relight changes none of them.
func (state *FlowLogState) watched(want catalog.Desired, got Observed) []string {
	var touched []string
	for _, name := range got.Asked {
		if got.Type == catalog.Bucket && slices.Contains(state.Buckets, name) ||
			got.Type == catalog.Stream && slices.Contains(state.Streams, name) ||
			got.Type == catalog.Key && (IsKey(name, want.KMSKeys[got.Region]) || state.encryptedWith(name)) ||
			got.Type == catalog.AccountPolicy && got.Region != want.HomeRegion || // there the kind loggroups reports it
			got.Type == catalog.Region { // an enabled region is protected, even if it is empty
			touched = append(touched, name)
		}
	}
	return touched
}

// encryptedWith reports whether a log group that was read has a key.
func (state *FlowLogState) encryptedWith(key string) bool {
	for _, g := range state.LogGroups {
		if IsKey(key, g.KMSKey) {
			return true
		}
	}
	return false
}

// skipped returns why relight does not protect a VPC, or "".
func skipped(want catalog.FlowLogSpec, account string, n Network) string {
	switch {
	case slices.Contains(want.ExemptVPCs, n.ID):
		return "exempt by configuration"
	case want.ExemptByTag && n.Exempt:
		return "exempt by its tag " + catalog.ExemptTag
	case n.Unchosen:
		return "not chosen by the configuration"
	case n.Owner != "" && n.Owner != account:
		return "shared by account " + n.Owner + ", and only that account can log it"
	}
	return ""
}

// justExempted reports whether people should know that a tag exempts a VPC. An event
// names the VPC: it was created with the tag, or tagged, a moment ago. Or a sweep finds
// the tag in a region whose events do not reach relight, where anybody could set it
// unseen. In other regions, a sweep only skips the VPC.
func justExempted(want catalog.Desired, got Observed, n Network) bool {
	return want.FlowLogs.ExemptByTag && n.Exempt && !slices.Contains(want.FlowLogs.ExemptVPCs, n.ID) &&
		(got.Type == catalog.VPC && slices.Contains(got.Asked, n.ID) || got.Type == "" && !want.Watches(got.Region))
}

// byTag reports whether a tag alone makes relight leave out what it skips: one that
// exempts a VPC, or one that no longer chooses a subnet or network interface. Anybody can
// set or remove a tag, so it makes nothing unwanted.
func byTag(want catalog.FlowLogSpec, n Network) bool {
	return !slices.Contains(want.ExemptVPCs, n.ID) &&
		(want.ExemptByTag && n.Exempt || n.Unchosen && len(want.Chosen[catalog.NetworkType(n.ID)].Tags) > 0)
}

// kept returns what a skip says about relight's own flow logs if a tag alone is why, or "".
func kept(want catalog.FlowLogSpec, n Network) string {
	ids := own(n.FlowLogs)
	if len(ids) == 0 || !byTag(want, n) {
		return ""
	}
	return "; relight's own flow log stays until somebody deletes it: aws ec2 delete-flow-logs --flow-log-ids " + strings.Join(ids, " ")
}

// own returns the IDs of relight's own flow logs, sorted.
func own(logs []FlowLog) []string {
	return idsOf(logs, func(fl FlowLog) bool { return fl.Ours })
}

// idsOf returns the IDs of the flow logs that match, sorted.
func idsOf(logs []FlowLog, match func(FlowLog) bool) []string {
	var ids []string
	for _, fl := range logs {
		if match(fl) {
			ids = append(ids, fl.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// unsatisfied returns why no flow log satisfies the policy, or "" if one does.
// It reports as broken a flow log that fails to deliver, satisfies the policy
// otherwise, and has the log group and role of a new one, which would fail as
// well.
func unsatisfied(want catalog.Desired, adopted Adopted, logs []FlowLog) (reason string, broken bool) {
	var reasons []string
	for _, fl := range logs {
		why := Satisfies(want.FlowLogs, fl)
		if why == "" && !relies(want, adopted, fl) {
			reasons = append(reasons, fl.ID+" goes to "+cmp.Or(fl.Where, fl.Destination)+", which nobody adopted")
			continue
		}
		if why == "" && !fl.Failed() {
			return "", false
		}
		if why == "" {
			why = "fails to deliver"
			broken = broken || fl.Into(want.FlowLogs) && !foreign(want, fl) && (fl.Ours || fl.TrafficType == want.FlowLogs.TrafficType)
		}
		reasons = append(reasons, fl.ID+" "+why)
	}
	if len(reasons) == 0 {
		return "no flow log covers " + want.FlowLogs.TrafficType, false
	}
	slices.Sort(reasons)
	return strings.Join(reasons, ", "), broken
}

// relies reports whether relight may rely on a flow log: it is relight's own, goes to
// relight's log group, or to a destination that was adopted.
func relies(want catalog.Desired, adopted Adopted, fl FlowLog) bool {
	return fl.Ours || home(want, fl) || adopted.flowLogs(fl.Where)
}

// home reports whether a flow log goes to a destination that the configuration names
// for logs: that of relight's own or the trail's bucket.
func home(want catalog.Desired, fl FlowLog) bool {
	return fl.Into(want.FlowLogs) ||
		want.Trail.Bucket != "" && fl.Destination == catalog.ToS3 && strings.HasSuffix(fl.Where, ":::"+want.Trail.Bucket)
}

// reliedOn returns the destinations of others' flow logs on which a VPC relies: none
// if one of relight's own satisfies the policy.
func reliedOn(want catalog.Desired, logs []FlowLog) []string {
	var where []string
	for _, fl := range logs {
		switch {
		case !works(want.FlowLogs, fl):
		case fl.Ours || home(want, fl):
			return nil
		case fl.Where != "":
			where = append(where, fl.Where)
		}
	}
	return where
}

// foreign reports whether a flow log delivers with another role than relight's: the
// deployment's, or that of a stream in another account.
func foreign(want catalog.Desired, fl FlowLog) bool {
	role := cmp.Or(want.FlowLogs.To.Role, want.DeliveryRole)
	return fl.Role != "" && role != "" && fl.Role != role
}

// works reports whether a flow log satisfies the policy and does not fail to
// deliver.
func works(want catalog.FlowLogSpec, fl FlowLog) bool {
	return Satisfies(want, fl) == "" && !fl.Failed()
}

// outdated returns why a flow log is not the one that relight creates now, or "".
func outdated(want catalog.FlowLogSpec, fl FlowLog) string {
	interval, wanted := cmp.Or(fl.Aggregation, catalog.DefaultAggregation), cmp.Or(want.Aggregation, catalog.DefaultAggregation)
	switch why := Satisfies(want, fl); {
	case why != "":
		return why
	case !fl.Into(want):
		return "goes to " + cmp.Or(fl.LogGroup, fl.Where, fl.Destination)
	case fl.Files != want.To.Files:
		return "writes " + fl.Files.String()
	case fl.TrafficType != want.TrafficType:
		return "records " + fl.TrafficType
	case interval != wanted:
		return fmt.Sprintf("aggregates over %d seconds", interval)
	}
	return ""
}

// renewal returns why a VPC whose flow logs satisfy the policy gets another one:
// relight's own is not as the configuration says now. It returns "" if the new one
// exists, or if one of ALL stands in for it because EC2 would refuse it.
func renewal(want catalog.FlowLogSpec, logs []FlowLog) string {
	if slices.ContainsFunc(logs, func(fl FlowLog) bool { return outdated(want, fl) == "" }) ||
		slices.ContainsFunc(logs, func(fl FlowLog) bool { return duplicate(want, want.TrafficType, fl) }) &&
			slices.ContainsFunc(logs, func(fl FlowLog) bool { return inPlace(want, fl) }) {
		return ""
	}
	var reasons []string
	for _, fl := range logs {
		if fl.Ours && works(want, fl) {
			reasons = append(reasons, fl.ID+" is relight's own and "+outdated(want, fl))
		}
	}
	slices.Sort(reasons)
	return strings.Join(reasons, ", ")
}

// inPlace reports whether a flow log is one of relight's own that stands in for
// the configured one until EC2 accepts that: it records ALL instead.
func inPlace(want catalog.FlowLogSpec, fl FlowLog) bool {
	return fl.Ours && want.TrafficType != catalog.TrafficAll && fl.TrafficType == catalog.TrafficAll && fl.Into(want) && works(want, fl)
}

// duplicate reports whether EC2 refuses a flow log of some traffic to the destination
// of relight's own because of another one. It refuses one with "the same configuration
// and log destination"; format, role and interval do not count as configuration
// (belief format-makes-no-other-flow-log, assumed). Source: EC2 API Reference,
// CreateFlowLogs, FlowLogAlreadyExists.
func duplicate(want catalog.FlowLogSpec, traffic string, fl FlowLog) bool {
	return fl.Into(want) && fl.TrafficType == traffic
}

// Satisfies returns why a flow log does not satisfy the policy, or "". It does
// not consider whether the flow log delivers.
func Satisfies(want catalog.FlowLogSpec, fl FlowLog) string {
	if fl.Status != "ACTIVE" {
		return "is " + fl.Status
	}
	if fl.TrafficType != want.TrafficType && fl.TrafficType != catalog.TrafficAll {
		return "records only " + fl.TrafficType
	}
	if fl.Format != want.WantFormat() {
		for _, field := range catalog.FormatFields(want.WantFormat()) {
			if !strings.Contains(fl.Format, "${"+field+"}") {
				return "does not record " + field
			}
		}
	}
	if len(want.Destinations) > 0 && !slices.Contains(want.Destinations, fl.Destination) {
		return "goes to " + fl.Destination
	}
	return ""
}
