package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lazy"
	"github.com/relight-aws/relight/internal/pattern"
)

var (
	flowLogsShape = lazy.Compile(`^arn:[a-z-]+:(logs:[a-z0-9-]+:\d{12}:log-group:[.\-_/#A-Za-z0-9]+|s3:::[a-z0-9.-]{3,63}|firehose:[a-z0-9-]+:\d{12}:deliverystream/[A-Za-z0-9._-]+)$`)
	prefixShape   = lazy.Compile(`^[a-z][a-z0-9-]{0,19}$`) // the tightest AWS limit is 64 characters, for the name of a function
	prefixTrimmed = lazy.Compile(`^..?$|--|-$`)            // too short for a trail, or not whole in every name
	idShape       = lazy.Compile(`^[a-z][a-z0-9-]{0,59}$`)
	keyShape      = lazy.Compile(`^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+$`)
	policyShape   = lazy.Compile(`^arn:[a-z-]+:iam::(aws|\d{12}):policy/([\x21-\x7e]+/)?[\w+=,.@-]{1,128}$`) // IAM API Reference, CreatePolicy
	roleShape     = lazy.Compile(`^arn:[a-z-]+:iam::\d{12}:role/([\x21-\x7e]+/)?[\w+=,.@-]{1,64}$`)
	bucketShape   = lazy.Compile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)                                         // Amazon S3 User Guide, "General purpose bucket naming rules"
	bucketTaken   = lazy.Compile(`^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$`) // the same: reserved beginnings and endings
	ipShape       = lazy.Compile(`^\d+\.\d+\.\d+\.\d+$`)                                                       // neither a bucket nor a trail may look like an IP address
	adjacent      = lazy.Compile(`[._-][._-]`)                                                                 // not in the name of a trail. Source: CloudTrail API Reference, CreateTrail, Name
)

// CheckHome returns every problem that the configuration has with a home region
// that it does not name itself.
func (c Config) CheckHome(region string) error {
	c.HomeRegion = region
	return c.validate()
}

// validate returns every problem of a completed configuration.
func (c Config) validate() error {
	var p problems
	p.unless(c.Prefix != "default", `prefix "default" is the name of the AWS default event bus: use another one`)
	p.prefix(c.Prefix)
	if c.HomeRegion != "" {
		p.region("homeRegion ", c.HomeRegion)
	}
	for _, r := range c.Regions {
		p.region("regions: ", r)
	}
	for _, r := range c.SkipRegions {
		p.region("skipRegions: ", r)
		p.unless(r != c.HomeRegion && !slices.Contains(c.Regions, r), "skipRegions: %q is the home region or in regions: remove it from one of the two", r)
	}
	p.unless(c.SweepMinutes >= 5 && c.SweepMinutes <= 1440, "sweepMinutes %d: use 5 to 1440", c.SweepMinutes)
	for _, k := range sortedKeys(c.Modes) {
		if !slices.Contains(catalog.Kinds(), catalog.Kind(k)) {
			p.unless(false, "modes: %q is not a kind%s", k, suggest(k, kindNames()))
		}
		m := catalog.Mode(c.Modes[k])
		p.unless(m == catalog.Repair || m == catalog.Observe || m == catalog.Off, "modes.%s: %q is not repair, observe or off: use one of them", k, m)
	}
	c.FlowLogs.validate(&p)
	c.Trail.validate(&p)
	if c.TrailLogs.LogGroup != "" {
		p.logGroup("trailLogs.logGroup", c.TrailLogs.LogGroup)
	}
	p.retention("trailLogs.retentionDays", c.TrailLogs.RetentionDays)
	c.validateControls(&p)
	c.Adopt.validate(&p)
	c.Pause.validate(&p, c.Prefix)
	if c.Audit.SecurityHub != nil {
		c.Audit.SecurityHub.validate(&p)
	}
	if c.Organization != nil {
		c.Organization.validate(&p, catalog.Baseline{Prefix: c.Prefix})
	}
	c.validateSubscribers(&p)
	if c.LastResort.Topic != "" {
		p.farTopic(c.LastResort.Topic, c.Prefix)
	}
	for _, r := range sortedKeys(c.KMSKeys) {
		p.region("kmsKeys: ", r)
		p.key("kmsKeys."+r, c.KMSKeys[r], r)
	}
	p.tags(c.Tags)
	p.unless(c.PermissionsBoundary == "" || policyShape.MatchString(c.PermissionsBoundary),
		"permissionsBoundary %q is not the ARN of a managed policy: use one such as arn:PARTITION:iam::111122223333:policy/bounds", c.PermissionsBoundary)
	c.onePartition(&p)
	return p.join()
}

func (f FlowLogs) validate(p *problems) {
	p.unless(slices.Contains([]string{catalog.TrafficAll, catalog.TrafficAccept, catalog.TrafficReject}, f.TrafficType),
		"flowLogs.trafficType %q: use REJECT, ACCEPT or ALL", f.TrafficType)
	p.format("flowLogs.format", f.Format)
	for _, d := range f.Destinations {
		p.unless(slices.Contains([]string{catalog.ToCloudWatchLogs, catalog.ToS3, catalog.ToFirehose}, d),
			"flowLogs.destinations: %q: use %s, %s or %s", d, catalog.ToCloudWatchLogs, catalog.ToS3, catalog.ToFirehose)
	}
	f.Destination.validate(p, "flowLogs.destination")
	f.Subnets.validate(p, "flowLogs.subnets", catalog.SubnetShape, "subnet-0a1b2c3d4e5f60001")
	f.NetworkInterfaces.validate(p, "flowLogs.networkInterfaces", catalog.IfaceShape, "eni-0a1b2c3d4e5f60001")
	used := map[string]bool{}
	for _, d := range []Destination{f.Destination, f.Subnets.Destination, f.NetworkInterfaces.Destination} {
		used[catalog.FlowLogSpec{To: d.destined()}.ToType()] = true
	}
	for _, to := range sortedKeys(used) {
		p.unless(len(f.Destinations) == 0 || slices.Contains(f.Destinations, to), "flowLogs.destinations must include %s, because flow logs of relight's own go there", to)
	}
	p.logGroup("flowLogs.logGroup", f.LogGroup)
	p.retention("flowLogs.retentionDays", f.RetentionDays)
	p.unless(f.AggregationSeconds == 60 || f.AggregationSeconds == 600, "flowLogs.aggregationSeconds %d: use 60 or 600", f.AggregationSeconds)
	p.unless(f.GraceSeconds >= 0 && f.GraceSeconds <= catalog.MostGraceSeconds, "flowLogs.graceSeconds %d: use 0 to %d", f.GraceSeconds, catalog.MostGraceSeconds)
	if f.RejectAlarm != nil {
		f.RejectAlarm.validate(p, f)
	}
	for _, v := range f.ExemptVPCs {
		p.unless(catalog.VPCShape.MatchString(v) && longID.MatchString(v), "flowLogs.exemptVpcs: %q is not the ID of a VPC: use one such as vpc-0a1b2c3d4e5f60001", v)
	}
}

// validate checks whether relight's own flow logs record what the alarm counts, and
// whether a filter can read it.
func (a RejectAlarm) validate(p *problems, f FlowLogs) {
	p.measure("flowLogs.rejectAlarm", a.Threshold, a.PeriodSeconds)
	p.unless(f.Destination == Destination{}, "flowLogs.rejectAlarm counts the records in a log group, and flowLogs.destination sends them elsewhere: leave one of the two out")
	p.unless(f.TrafficType != catalog.TrafficAccept, "flowLogs.rejectAlarm: flowLogs.trafficType ACCEPT records no rejected traffic: use REJECT or ALL, or leave rejectAlarm out")
	format := catalog.FlowLogSpec{Format: f.Format}.WantFormat()
	fields := catalog.FormatFields(format)
	if !slices.Contains(fields, catalog.FieldAction) {
		p.unless(false, "flowLogs.rejectAlarm: flowLogs.format has no field ${action}, which says what was rejected: add it, or leave rejectAlarm out")
		return
	}
	text := catalog.RejectControl(format, 1, 60).Pattern
	_, err := pattern.Parse(text)
	p.unless(err == nil && len(text) <= catalog.PatternLimit && len(slices.Compact(slices.Sorted(slices.Values(fields)))) == len(fields),
		"flowLogs.rejectAlarm: no filter pattern of up to %d characters can name the fields of flowLogs.format: use each field once", catalog.PatternLimit)
}

// allFrameworks stands for every framework.
const allFrameworks = "all"

func (h SecurityHub) validate(p *problems) {
	for _, id := range h.Frameworks {
		p.unless(slices.Contains(catalog.FrameworkIDs(), strings.ToLower(id)) || id == allFrameworks, "audit.securityHub.frameworks: %q is not a framework: use all, or some of %s", id, strings.Join(catalog.FrameworkIDs(), ", "))
	}
	hours := or(h.Hours, catalog.AuditHours)
	p.unless(hours >= 1 && hours <= catalog.MostAuditHours, "audit.securityHub.hours %d: use 1 to %d", hours, catalog.MostAuditHours)
}

func (a Adopt) validate(p *problems) {
	for _, name := range a.Filters {
		p.unless(catalog.FilterShape.MatchString(name), "adopt.filters: %q is not the name of a metric filter: use up to 512 characters without colon and asterisk", name)
	}
	for _, arn := range a.Topics {
		p.unless(catalog.TopicShape.MatchString(arn) && strings.Count(arn, ":") == 5, "adopt.topics: %q is not the ARN of a topic: use one such as arn:PARTITION:sns:eu-west-1:111122223333:oncall", arn)
	}
	for _, arn := range a.FlowLogs {
		p.unless(flowLogsShape.MatchString(arn), "adopt.flowLogs: %q is not the ARN of a log group, bucket or Firehose stream: use one such as arn:PARTITION:s3:::flow-logs", arn)
	}
}

// validate checks who may pause relight. A pattern must not match a role that anybody may
// name, nor one of relight's own: what one of its functions writes is no person's word.
func (c Pause) validate(p *problems, prefix string) {
	for _, arn := range c.By {
		if !catalog.PauserShape.MatchString(arn) {
			p.unless(false, "pause.by: %q is not the ARN of a role or user: use one such as arn:PARTITION:iam::111122223333:role/operator, with * and ? for parts of it", arn)
			continue
		}
		name := arn[strings.LastIndexAny(arn, ":/")+1:]
		begin, _, open := strings.Cut(strings.ReplaceAll(name, "?", "*"), "*")
		p.unless(!open || len(begin) >= 4, "pause.by: %q matches too many: begin the name with at least 4 characters before a * or ?", arn)
		own := prefix + "-"
		ours := strings.HasPrefix(begin, own) || open && strings.HasPrefix(own, begin)
		p.unless(!ours || !strings.Contains(arn, ":role/"),
			"pause.by: %q matches relight's own roles, whose names begin with %s: name the role of a person", arn, own)
	}
}

// isBucket reports whether S3 accepts a name for a bucket, reserved names included.
func isBucket(name string) bool {
	return bucketShape.MatchString(name) && !strings.Contains(name, "..") && !ipShape.MatchString(name)
}

func (t Trail) validate(p *problems) {
	p.unless(!t.Create || t.Name+t.Bucket+t.KeyARN+t.RoleARN == "", "trail.create: the stack creates the trail, its bucket, its key and its role: leave out trail.name, trail.bucket, trail.keyArn and trail.roleArn")
	name := t.Name[strings.LastIndex(t.Name, "/")+1:]
	p.unless(t.Name == "" || catalog.TrailShape.MatchString(t.Name) && trailName(name), "trail.name %q is not the name or ARN of a trail: use 3 to 128 letters, digits and . _ -, a letter or digit at both ends, and no two of . _ - in a row", t.Name)
	if t.Bucket != "" {
		p.unless(isBucket(t.Bucket),
			"trail.bucket %q is not the name of a bucket: use the name without s3:// and path, 3 to 63 lower-case letters, digits and . -", t.Bucket)
		p.unless(!bucketTaken.MatchString(t.Bucket), "trail.bucket %q: Amazon S3 reserves such names: use the name of a bucket, not an alias", t.Bucket)
	}
	if t.KeyARN != "" {
		p.key("trail.keyArn", t.KeyARN, "")
	}
	p.unless(t.RoleARN == "" || roleShape.MatchString(t.RoleARN), "trail.roleArn %q is not the ARN of a role: use one such as arn:PARTITION:iam::111122223333:role/trail", t.RoleARN)
}

func trailName(name string) bool {
	return catalog.TrailShape.MatchString(name) && !adjacent.MatchString(name) && !ipShape.MatchString(name)
}

func (c Config) validateControls(p *problems) {
	var ids []string
	for _, row := range catalog.Controls() {
		ids = append(ids, row.ID)
	}
	for _, id := range sortedKeys(c.Controls) {
		p.unless(slices.Contains(ids, id), "controls: %q is not a control%s", id, suggest(id, ids))
		p.measure("controls."+id, c.Controls[id].Threshold, c.Controls[id].PeriodSeconds)
	}
	enabled, withRegex := len(ids)+len(c.AddControls), 0
	for _, change := range c.Controls {
		if change.Disabled {
			enabled--
		}
	}
	var stacks []string
	if len(c.AddControls) > 0 {
		stacks = catalog.StackAlarmIDs()
	}
	for i, n := range c.AddControls {
		field := fmt.Sprintf("addControls[%d]", i)
		p.unless(idShape.MatchString(n.ID), "%s.id %q: use up to 60 lower-case letters, digits and hyphens", field, n.ID)
		p.unless(!slices.Contains(ids, n.ID), "%s.id %q is already the ID of a control: use another one", field, n.ID)
		p.unless(n.ID != catalog.RejectedTraffic, "%s.id %q is the ID of the alarm of flowLogs.rejectAlarm: use another one", field, n.ID)
		p.unless(!slices.Contains(stacks, n.ID), "%s.id %q is the ID of an alarm of the stack: use another one", field, n.ID)
		ids = append(ids, n.ID)
		length := len([]rune(n.Pattern))
		p.unless(length > 0 && length <= catalog.PatternLimit, "%s.pattern has %d characters: use 1 to %d", field, length, catalog.PatternLimit)
		if length > 0 && length <= catalog.PatternLimit {
			parsed, err := pattern.Parse(n.Pattern)
			p.unless(err == nil, "%s.pattern is not a CloudWatch Logs filter pattern: %v%s", field, err, marked(err))
			if err == nil && parsed.Regexes() > 0 {
				withRegex++
			}
		}
		p.unless(len([]rune(n.Title)) <= titleLimit, "%s.title has %d characters: use up to %d", field, len([]rune(n.Title)), titleLimit)
		p.unless(!strings.ContainsFunc(n.Title, unicode.IsControl), "%s.title %q: use one line, without control characters", field, n.Title)
		p.measure(field, n.Threshold, n.PeriodSeconds)
	}
	p.unless(enabled <= catalog.FiltersPerGroup, "addControls: with relight's own, %d controls: use up to %d, because a log group accepts no more filters", enabled, catalog.FiltersPerGroup)
	p.unless(withRegex <= pattern.RegexesPerGroup, "addControls: %d patterns have a regular expression: use up to %d, because a log group accepts no more", withRegex, pattern.RegexesPerGroup)
}

// marked returns a pattern with the place marked at which it goes wrong.
func marked(err error) string {
	var e *pattern.Error
	if !errors.As(err, &e) {
		return ""
	}
	return "\n    " + strings.ReplaceAll(e.Mark(), "\n", "\n    ")
}

// titleLimit keeps the description of an alarm, which has the control's title,
// far below the 1,024 characters that PutMetricAlarm accepts.
const titleLimit = 200

// problems collects the problems of a configuration.
type problems []error

func (p *problems) unless(ok bool, format string, args ...any) {
	if !ok {
		*p = append(*p, fmt.Errorf(format, args...))
	}
}

func (p *problems) retention(field string, days int32) {
	p.unless(slices.Contains(catalog.RetentionDays, days), "%s %d: use one of the periods that CloudWatch Logs accepts: %v", field, days, catalog.RetentionDays)
}

// measure checks alarm settings; nil means the default. The metrics of filters
// have one value a minute, so a period must be a multiple of 60 seconds.
// CloudWatch accepts up to seven days; relight accepts one, because it reports
// an alarm that is in ALARM for longer than that. Sources: CloudWatch API
// Reference, PutMetricAlarm, Period; catalog.StuckAfter.
func (p *problems) measure(field string, threshold *float64, period *int32) {
	p.unless(threshold == nil || *threshold > 0, "%s.threshold %v: use a positive number", field, or(threshold, 0))
	p.unless(threshold == nil || *threshold <= mostValue, "%s.threshold %v: no metric gets that far: use a smaller number", field, or(threshold, 0))
	p.unless(period == nil || *period > 0 && *period%60 == 0 && *period <= catalog.StuckAfter,
		"%s.periodSeconds %d: use a multiple of 60 up to %d", field, or(period, 0), catalog.StuckAfter)
}

// mostValue is the largest value of a metric. Source: CloudWatch API Reference,
// MetricDatum, Value.
const mostValue = 1 << 360

func (p *problems) join() error { return errors.Join(*p...) }

func kindNames() []string {
	var names []string
	for _, k := range catalog.Kinds() {
		names = append(names, string(k))
	}
	return names
}
