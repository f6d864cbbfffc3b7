package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

var (
	prefixShape = regexp.MustCompile(`^[a-z][a-z0-9-]{0,19}$`) // the tightest AWS limit is 64 characters, for the name of a function
	idShape     = regexp.MustCompile(`^[a-z][a-z0-9-]{0,59}$`)
	keyShape    = regexp.MustCompile(`^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/.+$`)
	roleShape   = regexp.MustCompile(`^arn:[a-z-]+:iam::\d{12}:role/.+$`)
	bucketShape = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`) // Amazon S3 User Guide, bucket naming rules
)

// validate returns every problem of a completed configuration.
func (c Config) validate() error {
	var p problems
	p.unless(c.Prefix != "default", `prefix "default" is the name of the AWS default event bus: use another one`)
	p.unless(prefixShape.MatchString(c.Prefix), "prefix %q: use up to 20 lower-case letters, digits and hyphens", c.Prefix)
	p.unless(c.HomeRegion == "" || catalog.RegionShape.MatchString(c.HomeRegion), "homeRegion %q is not a region name such as eu-west-1", c.HomeRegion)
	for _, r := range c.Regions {
		p.unless(catalog.RegionShape.MatchString(r), "regions: %q is not a region name such as eu-west-1", r)
	}
	for _, r := range c.SkipRegions {
		p.unless(catalog.RegionShape.MatchString(r), "skipRegions: %q is not a region name such as eu-west-1", r)
		p.unless(r != c.HomeRegion && !slices.Contains(c.Regions, r), "skipRegions: %q is the home region or in regions", r)
	}
	p.unless(c.SweepMinutes >= 5 && c.SweepMinutes <= 1440, "sweepMinutes %d: use 5 to 1440", c.SweepMinutes)
	for _, k := range sortedKeys(c.Modes) {
		p.unless(slices.Contains(catalog.Kinds(), catalog.Kind(k)), "modes: %q is not a kind%s", k, suggest(k, kindNames()))
		m := catalog.Mode(c.Modes[k])
		p.unless(m == catalog.Repair || m == catalog.Observe || m == catalog.Off, "modes.%s: %q is not repair, observe or off", k, m)
	}
	c.FlowLogs.validate(&p)
	c.Trail.validate(&p)
	p.unless(c.TrailLogs.LogGroup == "" || catalog.LogGroupShape.MatchString(c.TrailLogs.LogGroup), "trailLogs.logGroup %q is not a log group name", c.TrailLogs.LogGroup)
	p.retention("trailLogs.retentionDays", c.TrailLogs.RetentionDays)
	c.validateControls(&p)
	for i, s := range c.Subscribers {
		p.unless(slices.Contains([]string{"email", "email-json", "https", "sms", "sqs", "lambda"}, s.Protocol),
			"subscribers[%d].protocol %q: use email, email-json, https, sms, sqs or lambda", i, s.Protocol)
		p.unless(s.Endpoint != "", "subscribers[%d].endpoint is empty", i)
	}
	for _, r := range sortedKeys(c.KMSKeys) {
		p.unless(catalog.RegionShape.MatchString(r), "kmsKeys: %q is not a region name", r)
		p.unless(keyShape.MatchString(c.KMSKeys[r]), "kmsKeys.%s: %q is not the ARN of a KMS key", r, c.KMSKeys[r])
	}
	for _, k := range sortedKeys(c.Tags) {
		p.unless(!strings.HasPrefix(strings.ToLower(k), "aws:"), "tags: %q: AWS reserves keys that begin with aws:", k)
		p.unless(!strings.EqualFold(k, catalog.OwnerTag), "tags: %q is the tag that marks what relight creates", k)
	}
	p.unless(c.PermissionsBoundary == "" || catalog.PolicyShape.MatchString(c.PermissionsBoundary),
		"permissionsBoundary %q is not the ARN of a managed policy", c.PermissionsBoundary)
	return p.join()
}

func (f FlowLogs) validate(p *problems) {
	p.unless(slices.Contains([]string{catalog.TrafficAll, catalog.TrafficAccept, catalog.TrafficReject}, f.TrafficType),
		"flowLogs.trafficType %q: use REJECT, ACCEPT or ALL", f.TrafficType)
	p.unless(f.Format == "" || len(catalog.FormatFields(f.Format)) > 0, "flowLogs.format %q has no ${field}", f.Format)
	// The fields of Amazon ECS require ecs:List… actions, which relight's roles
	// do not have. Source: Service Authorization Reference, CreateFlowLogs.
	p.unless(!strings.Contains(f.Format, "${ecs-"), "flowLogs.format: relight's roles lack the ECS permissions that ${ecs-…} fields need")
	for _, d := range f.Destinations {
		p.unless(slices.Contains([]string{catalog.ToCloudWatchLogs, catalog.ToS3, catalog.ToFirehose}, d),
			"flowLogs.destinations: %q: use %s, %s or %s", d, catalog.ToCloudWatchLogs, catalog.ToS3, catalog.ToFirehose)
	}
	p.unless(len(f.Destinations) == 0 || slices.Contains(f.Destinations, catalog.ToCloudWatchLogs),
		"flowLogs.destinations must include %s, because relight's own flow logs go there", catalog.ToCloudWatchLogs)
	p.unless(catalog.LogGroupShape.MatchString(f.LogGroup), "flowLogs.logGroup %q is not a log group name", f.LogGroup)
	p.retention("flowLogs.retentionDays", f.RetentionDays)
	p.unless(f.AggregationSeconds == 60 || f.AggregationSeconds == 600, "flowLogs.aggregationSeconds %d: use 60 or 600", f.AggregationSeconds)
	p.unless(f.GraceSeconds >= 0 && f.GraceSeconds <= catalog.MostGraceSeconds, "flowLogs.graceSeconds %d: use 0 to %d", f.GraceSeconds, catalog.MostGraceSeconds)
	for _, v := range f.ExemptVPCs {
		p.unless(catalog.VPCShape.MatchString(v), "flowLogs.exemptVpcs: %q is not a VPC ID", v)
	}
}

func (t Trail) validate(p *problems) {
	p.unless(!t.Create || t.Name+t.Bucket+t.KeyARN+t.RoleARN == "", "trail.create: the stack creates the trail, its bucket, its key and its role: leave out trail.name, trail.bucket, trail.keyArn and trail.roleArn")
	p.unless(t.Name == "" || catalog.TrailShape.MatchString(t.Name), "trail.name %q is not the name or ARN of a trail", t.Name)
	p.unless(t.Bucket == "" || bucketShape.MatchString(t.Bucket), "trail.bucket %q is not the name of a bucket", t.Bucket)
	p.unless(t.KeyARN == "" || keyShape.MatchString(t.KeyARN), "trail.keyArn %q is not the ARN of a KMS key", t.KeyARN)
	p.unless(t.RoleARN == "" || roleShape.MatchString(t.RoleARN), "trail.roleArn %q is not the ARN of a role", t.RoleARN)
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
	for i, n := range c.AddControls {
		field := fmt.Sprintf("addControls[%d]", i)
		p.unless(idShape.MatchString(n.ID), "%s.id %q: use up to 60 lower-case letters, digits and hyphens", field, n.ID)
		p.unless(!slices.Contains(ids, n.ID), "%s.id %q is already the ID of a control", field, n.ID)
		ids = append(ids, n.ID)
		length := len([]rune(n.Pattern))
		p.unless(length > 0 && length <= catalog.PatternLimit, "%s.pattern has %d characters: use 1 to %d", field, length, catalog.PatternLimit)
		p.measure(field, n.Threshold, n.PeriodSeconds)
	}
}

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

// measure checks alarm settings. Zero means the default. CloudWatch accepts at
// most one day for a single evaluation period that is a multiple of 60 seconds.
// Source: CloudWatch API Reference, PutMetricAlarm.
func (p *problems) measure(field string, threshold float64, period int32) {
	p.unless(threshold >= 0, "%s.threshold %v: use a positive number", field, threshold)
	p.unless(period >= 0 && period%60 == 0 && period <= 86400, "%s.periodSeconds %d: use a multiple of 60 up to 86400", field, period)
}

func (p *problems) join() error { return errors.Join(*p...) }

func kindNames() []string {
	var names []string
	for _, k := range catalog.Kinds() {
		names = append(names, string(k))
	}
	return names
}
