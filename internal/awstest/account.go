// Package awstest is a strict AWS account in memory, for tests. It keeps state
// per region, pages its listings, and refuses what AWS refuses; it fails, lags
// and denies on request. It knows nothing about its callers.
//
// Clients of the SDK, made from the Account's Config, call it: an Account
// answers behind their validation and their defaults, without HTTP. Where it
// imitates a quirk, the comment names the AWS document. Where AWS's documents
// say nothing, it does what is harder for its caller. Beliefs lists how well each
// of its beliefs about AWS is known, and Doubt makes it behave the other way.
package awstest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	hubtypes "github.com/aws/aws-sdk-go-v2/service/securityhub/types"
)

// An Account is one AWS account. It is safe for concurrent use. Make one per
// test: an Account cannot be emptied.
type Account struct {
	Clients // of the home region; In returns those of another region

	ID   string           // 12 digits
	Home string           // the region of Config
	Now  func() time.Time // the account's clock; nil for 2026-03-03 12:00 UTC, the time of the sample events

	// These are for tests that measure time, in a bubble of testing/synctest. Set them
	// before the first call.
	Latency   time.Duration            // of each call that the account answers itself
	Drift     time.Duration            // most that is added to Latency, differently for each call, so that no two calls end at once
	Throttles func(caller string) bool // whose calls AWS's quotas limit, by ARN; nil for nobody's
	Watch     func(Call)               // gets each answered call; nil for none. It runs without the account's lock

	organization *Organization // nil for none

	near sync.Map // Clients by region: making them takes longer than a call

	mu        sync.Mutex
	spent     map[string]tokens // by region, service and operation
	throttled Calls
	arrived   int                                                      // calls so far
	others    map[reflect.Type]func(context.Context, any) (any, error) // operations that a test answers, by input
	contents
}

// The contents of an Account are what Clone copies.
type contents struct {
	pageSize     int
	lag          int
	ids          int
	outside      bool            // CloudTrail takes no organisation trail of the account
	doubted      map[string]bool // beliefs that the account doubts
	reached      map[string]bool // beliefs on which an answer depended
	flowLogQuota int             // flow logs that a resource can have
	regions      map[string]*region
	roles        store[role]                  // by name
	unready      map[string]int               // by role ARN: how many more calls cannot assume the role
	unseen       map[string]int               // by name of a new role: how many more calls may not find it
	policies     map[string]*policy           // managed policies, by ARN
	keys         map[string]kmstypes.KeyState // by ARN
	trails       map[string]*trail            // by ARN
	history      []cloudtrailtypes.Event      // the latest first
	buckets      map[string]bool              // buckets that trails may write to
	logBuckets   map[string]bucket            // buckets that flow logs go to
	streams      map[string]bool              // by ARN: whether the Firehose stream exists
	replies      map[string]reply             // of CreateFlowLogs, by region and client token
	faults       map[string][]string          // by operation: error codes of its next calls
	denied       map[string]bool              // operations
	refusals     map[string][]string          // by ID of a resource or a finding: error codes inside successful replies
	calls        Calls
	writes       []Write
	messages     []Message
	events       []Event // on the default bus
	refuseEvents bool
	hub          bool                                   // the home region has Security Hub
	findings     map[string]hubtypes.AwsSecurityFinding // by ID, in the home region

	keyPolicies map[string]string           // by the key's ARN
	keyAliases  map[string]string           // by alias: the key's ARN
	keySpecs    map[string]kmstypes.KeySpec // by ARN; symmetric if absent
	keyTexts    map[string]string           // descriptions, by ARN
	keyTags     map[string]map[string]string
	delivered   map[string]int // by endpoint: messages that a subscription delivered
}

// A region contains what an account has in one region.
type region struct {
	name     string
	status   string // opt-in status
	vpcs     store[ec2types.Vpc]
	logs     store[ec2types.FlowLog] // by ID
	networks store[network]          // subnets and network interfaces, by ID
	groups   store[group]
	alarms   store[alarm]
	topics   map[string]*topic                  // by ARN
	ghosts   map[string]map[string]subscription // by ARN of a deleted topic, then of the subscription
	params   map[string]parameter               // of Systems Manager, by name
	queues   map[string]map[string]string       // attributes by name

	functions map[string]*function                                    // by name
	mappings  map[string]*lambdatypes.EventSourceMappingConfiguration // by ID
	rules     map[string]*rule                                        // by bus and name
	buses     map[string]bool                                         // other than the default bus
	schedules map[string]*scheduler.GetScheduleOutput
	stacks    map[string]*cftypes.Stack // by name

	composites      store[types.CompositeAlarm]
	logAlarms       store[types.LogAlarm]
	mutes           store[muteRule]
	metrics         map[string][]types.MetricDatum      // by namespace and name
	histories       map[string][]types.AlarmHistoryItem // by alarm
	accountPolicies store[logstypes.AccountPolicy]      // by type and name
}

// Calls counts calls by operation, including refused ones.
type Calls map[string]int

// Since returns the calls made after an earlier count.
func (c Calls) Since(before Calls) Calls {
	diff := Calls{}
	for op, n := range c {
		if d := n - before[op]; d > 0 {
			diff[op] = d
		}
	}
	return diff
}

// Total returns the number of all calls except those of the given operations.
func (c Calls) Total(but ...string) int {
	n := 0
	for op, k := range c {
		if !slices.Contains(but, op) {
			n += k
		}
	}
	return n
}

// A Write is one call that changed the account.
type Write struct {
	Op     string
	Region string
	Target string // name or ID of what was changed; several are separated by commas
}

// A Call is one call that the account has answered.
type Call struct {
	Caller      string // ARN
	Region      string
	Service, Op string // as the SDK names them
	In, Out     any    // of the SDK's types
	Err         error
	Writes      []Write   // what it changed
	Began       time.Time // before Latency
}

// String returns the write as one line.
func (w Write) String() string { return w.Op + " " + w.Region + " " + w.Target }

// New returns an empty account with one enabled region. Listings return one
// item a page until PageSize sets another number.
func New(id, home string) *Account {
	a := &Account{ID: id, Home: home, others: map[reflect.Type]func(context.Context, any) (any, error){}, spent: map[string]tokens{}, throttled: Calls{}, contents: contents{
		pageSize: 1, flowLogQuota: FlowLogsPerResource,
		regions: map[string]*region{}, unready: map[string]int{}, unseen: map[string]int{}, policies: map[string]*policy{}, keys: map[string]kmstypes.KeyState{}, keyPolicies: map[string]string{},
		trails: map[string]*trail{}, buckets: map[string]bool{}, logBuckets: map[string]bucket{}, streams: map[string]bool{}, replies: map[string]reply{}, doubted: map[string]bool{}, reached: map[string]bool{},
		faults: map[string][]string{}, denied: map[string]bool{}, refusals: map[string][]string{}, calls: Calls{}, findings: map[string]hubtypes.AwsSecurityFinding{},
	}}
	a.AddRegion(home, "opt-in-not-required")
	a.Clients = NewClients(a.Config())
	return a
}

// PageSize sets the maximum number of items in a page; with 0 the request and
// AWS's defaults decide.
func (a *Account) PageSize(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pageSize = n
}

// Calls returns how often each operation has been called so far.
func (a *Account) Calls() Calls {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.calls)
}

// Writes returns the calls that changed the account, in order. A Publish
// changes nothing; Messages returns what was published.
func (a *Account) Writes() []Write {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.writes)
}

// State returns every resource of the account as text: it maps "region type
// name" to the resource's settings as JSON. It leaves out what AWS makes up
// (IDs of flow logs, times), so that a resource and its faithful replacement
// are equal.
func (a *Account) State() map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	state := map[string]string{}
	for _, r := range a.regions {
		add := func(kind, name string, v any) { state[r.name+" "+kind+" "+name] = text(v) }
		for id, v := range r.vpcs.now {
			add("vpc", id, map[string]any{"owner": v.OwnerId, "tags": ec2Tags(v.Tags)})
		}
		for id, n := range r.networks.now {
			add(typeOf(id), id, map[string]any{"owner": n.Owner, "tags": ec2Tags(n.Tags)})
		}
		for _, fl := range r.logs.now {
			add("flow-log", flowLogKey(fl), flowLogState(fl))
		}
		for name, g := range r.groups.now {
			add("log-group", name, g.state())
			for filter, f := range g.filters {
				add("metric-filter", name+" "+filter, f)
			}
		}
		for name, al := range r.alarms.now {
			add("alarm", name, al.state())
		}
		for name, c := range r.composites.now {
			add("composite-alarm", name, compositeState(c))
		}
		for name, al := range r.logAlarms.now {
			add("log-alarm", name, logAlarmState(al))
		}
		for name, m := range r.mutes.now {
			add("mute-rule", name, m.state())
		}
		for key, p := range r.accountPolicies.now {
			add("account-policy", key, accountPolicyState(p))
		}
		for arn, t := range r.topics {
			add("topic", arn, t.state())
		}
		for name, attributes := range r.queues {
			add("queue", name, attributes)
		}
		for name, f := range r.functions {
			add("function", name, f.state())
		}
		for _, m := range r.mappings {
			add("mapping", *m.EventSourceArn+" "+*m.FunctionArn, mappingState(m))
		}
		for key, rule := range r.rules {
			add("rule", key, rule.state())
		}
		for name, s := range r.schedules {
			add("schedule", name, scheduleState(s))
		}
	}
	for name, r := range a.roles.now {
		state["role "+name] = text(r.state())
	}
	for arn, p := range a.policies {
		state["policy "+arn] = p.versions[p.current]
	}
	for arn, k := range a.keys {
		state["key "+arn] = string(k) + " " + a.keyPolicies[arn]
	}
	for arn, t := range a.trails {
		state["trail "+arn] = text(t.state())
	}
	return state
}

// text returns a value as JSON without null members, so that unset members do
// not clutter a diff. The members of an object are sorted.
func text(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("awstest: %v", err)) // SDK types always marshal
	}
	members, object := membersOf(string(raw))
	if !object {
		return string(raw)
	}
	members = slices.DeleteFunc(members, func(m member) bool { return m.value == "null" || m.value == `""` || m.value == "false" })
	slices.SortFunc(members, func(a, b member) int { return cmp.Compare(a.key, b.key) })
	var out strings.Builder
	out.Grow(len(raw))
	for i, m := range members {
		out.WriteByte("{,"[min(i, 1)])
		out.WriteString(m.key)
		out.WriteByte(':')
		out.WriteString(m.value)
	}
	if len(members) == 0 {
		out.WriteByte('{')
	}
	out.WriteByte('}')
	return out.String()
}

// A member of a JSON object; its key has its quotes.
type member struct{ key, value string }

// membersOf returns the members of a JSON object without white space, and false for
// any other value.
func membersOf(object string) ([]member, bool) {
	if !strings.HasPrefix(object, "{") {
		return nil, false
	}
	members := make([]member, 0, strings.Count(object, ":"))
	var m member
	depth, quoted, begin := 0, false, 1
	for i := 0; i < len(object); i++ {
		switch c := object[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case depth == 1 && c == ':' && m.key == "":
			m.key, begin = object[begin:i], i+1
		case depth == 1 && (c == ',' || c == '}') && m.key != "":
			m.value = object[begin:i]
			members, m, begin = append(members, m), member{}, i+1
			if c == '}' {
				depth--
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return members, true
}

// now returns the account's time.
func (a *Account) now() time.Time {
	if a.Now == nil {
		return time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	}
	return a.Now()
}

// arn returns the ARN of a resource of the account; region is "" for IAM's
// resources.
func (a *Account) arn(service, region, resource string) string {
	return awsarn.ARN{Partition: "aws", Service: service, Region: region, AccountID: a.ID, Resource: resource}.String()
}

// newID returns an ID that the account has not used before.
func (a *Account) newID(prefix string) string {
	a.ids++
	return fmt.Sprintf("%s-%017x", prefix, a.ids)
}

// A page is a request for part of a listing.
type page struct {
	token *string
	ask   *int32 // requested number of items; nil for none
	least int32  // smallest number that may be requested
	most  int32
	usual int // number of items if none is requested
	limit string
	bad   string // error code for an invalid token
}

// paged returns the items of one page of a listing sorted by key, and the token
// of the next page. A token contains the last key, so it stays valid after
// changes.
func paged[T any](c *request, p page, items map[string]T) ([]T, *string, error) {
	size := p.usual
	if p.ask != nil {
		if *p.ask < p.least || *p.ask > p.most {
			return nil, nil, refuse(p.limit, "%d is not in the range %d to %d", *p.ask, p.least, p.most)
		}
		size = int(*p.ask)
	}
	if c.pageSize > 0 {
		size = min(size, c.pageSize)
	}
	after, ok := strings.CutPrefix(aws.ToString(p.token), c.op+"/")
	if p.token != nil && !ok {
		return nil, nil, refuse(p.bad, "the token %q is not valid", *p.token)
	}
	var out []T
	last := ""
	var keys []string
	for key := range items {
		if p.token == nil || key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		if len(out) == size {
			return out, aws.String(c.op + "/" + last), nil
		}
		out, last = append(out, items[key]), key
	}
	return out, nil, nil
}

// A store contains the resources of one type, by name or ID. If reads lag
// writes, it also contains their earlier state.
type store[T any] struct {
	now  map[string]T
	old  map[string]T // what the next stale reads return
	view map[string]T // what the listing in progress returns
	lag  int          // number of reads that still return old
}

// write returns the resources for the caller to change. The next lag listings
// do not show the change.
func (s *store[T]) write(lag int) map[string]T {
	if s.now == nil {
		s.now = map[string]T{}
	}
	if lag > 0 && s.lag == 0 {
		s.old, s.lag = maps.Clone(s.now), lag
	}
	return s.now
}

// read returns the resources as a listing shows them from its first page on.
func (s *store[T]) read(first bool) map[string]T {
	switch {
	case !first && s.view != nil:
	case s.lag > 0:
		s.view = s.old
		s.lag--
	default:
		s.view = s.now
	}
	return s.view
}
