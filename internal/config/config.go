// Package config reads relight's configuration: it sets defaults, decodes
// strictly and validates. The stack and the CLI read the configuration from
// cdk.json. The functions read it from the file that the stack wrote beside
// them.
package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// Config is the object under context.relight in cdk.json. Every key has a
// default; the empty object is a good configuration.
//
// A test generates docs/configuration.md from the comments of these fields.
// "Default:" at the end of a comment names a default that Parse does not fill in.
type Config struct {
	// The names of everything that relight creates begin with this prefix: 3 to 20 lower-case letters, digits and single hyphens, a letter first and no hyphen last.
	Prefix string `json:"prefix,omitempty"`
	// The trail's home region, where the home stack is deployed. Everything that the configuration names must be in its partition. Default: `AWS_REGION`, or the profile's region. The CDK cannot tell a profile's us-east-1 from no region, so set this key or `AWS_REGION` for us-east-1.
	HomeRegion string `json:"homeRegion,omitempty"`
	// Further regions whose events are forwarded to the home region, so that relight restores within seconds there too.
	Regions []string `json:"regions,omitempty"`
	// Enabled regions that the sweep skips. List the regions that a service control policy denies.
	SkipRegions []string `json:"skipRegions,omitempty"`
	// Minutes between two sweeps, from 5 to 1440.
	SweepMinutes int `json:"sweepMinutes,omitempty"`
	// Kind to mode: `repair` restores, `observe` plans and logs but writes nothing, `off` does nothing. Default: `repair`.
	Modes map[string]string `json:"modes,omitempty"`
	// What every VPC's flow log must satisfy, and how relight creates its own flow logs.
	FlowLogs FlowLogs `json:"flowLogs,omitzero"`
	// Which trail relight protects, and where the trail delivers. relight takes the keys that you leave out from what it remembers of the trail.
	Trail Trail `json:"trail,omitzero"`
	// The trail's log group.
	TrailLogs TrailLogs `json:"trailLogs,omitzero"`
	// The alarms of the controls.
	Alarms Alarms `json:"alarms,omitzero"`
	// Changes to the [controls](controls.md), by their ID.
	Controls map[string]ControlChange `json:"controls,omitempty"`
	// Controls of your own.
	AddControls []NewControl `json:"addControls,omitempty"`
	// What others made and relight may rely on, beside what the first sweep found and what people [accepted](operations.md#what-others-made) since.
	Adopt Adopt `json:"adopt,omitzero"`
	// Who may [pause](operations.md#a-pause) relight.
	Pause Pause `json:"pause,omitzero"`
	// What relight does with audits of the account.
	Audit Audit `json:"audit,omitzero"`
	// The accounts of an organisation that one deployment guards. [Their events](organization.md) lead to restorations there, and each sweep covers them. Set this before the first deployment. Default: none.
	Organization *Organization `json:"organization,omitempty"`
	// Subscribers of relight's topic. SNS asks a person to confirm an email or HTTPS subscription. A queue or function of this account needs no confirmation, but its own policy must [admit the topic](operations.md#queues-and-functions-as-subscribers). The stack adds that permission to functions in the topic's region.
	Subscribers []Subscriber `json:"subscribers,omitempty"`
	// Which messages subscribers get.
	Notify Notify `json:"notify,omitzero"`
	// The topic of last resort, which carries what the topic refuses and what is about the topic itself.
	LastResort LastResort `json:"lastResort,omitzero"`
	// Region to the ARN of the KMS key that encrypts the log groups that relight creates there. The key's policy must allow CloudWatch Logs to use the key.
	KMSKeys map[string]string `json:"kmsKeys,omitempty"`
	// Tags that relight sets on everything it creates that accepts tags.
	Tags map[string]string `json:"tags,omitempty"`

	// Whether the log groups that relight creates have deletion protection. Default: `true`.
	DeletionProtection *bool `json:"deletionProtection,omitempty"`
	// Whether the home stack has a CloudWatch dashboard, named like the prefix. CloudWatch charges for the fourth dashboard of an account and those after it. Default: `true`.
	Dashboard *bool `json:"dashboard,omitempty"`
	// ARN of the managed policy that is the permissions boundary of every role in the stacks, if your organisation requires one.
	PermissionsBoundary string `json:"permissionsBoundary,omitempty"`
	// Whether CloudFormation refuses to delete the stacks.
	TerminationProtection bool `json:"terminationProtection,omitempty"`
}

// FlowLogs is the policy for VPC flow logs.
type FlowLogs struct {
	// The traffic that a flow log must record: `REJECT`, `ACCEPT`, or `ALL`, which covers both.
	TrafficType string `json:"trafficType,omitempty"`
	// A flow log must record every field in this format, which cannot have fields of Amazon ECS or of tags. Default: AWS's default format.
	Format string `json:"format,omitempty"`
	// The types of destination that count: `cloud-watch-logs`, `s3`, `kinesis-data-firehose`. Those of relight's own flow logs must be among them. Default: any.
	Destinations []string `json:"destinations,omitempty"`
	// The bucket or Firehose stream to which relight's own flow logs go [instead of a log group](operations.md#flow-logs-to-a-bucket-or-stream). Default: the log group.
	Destination Destination `json:"destination,omitzero"`
	// The log group for relight's own flow logs, in each region. Default: `<prefix>-flow-logs`.
	LogGroup string `json:"logGroup,omitempty"`
	// The shortest retention that log groups behind flow logs may have, in days.
	RetentionDays int32 `json:"retentionDays,omitempty"`
	// The aggregation interval of relight's own flow logs, in seconds: 60 or 600.
	AggregationSeconds int32 `json:"aggregationSeconds,omitempty"`
	// IDs of the VPCs that relight skips.
	ExemptVPCs []string `json:"exemptVpcs,omitempty"`
	// Whether relight also skips VPCs with the tag `relight:exempt` = `true`. An intruder can set this tag too.
	ExemptByTag bool `json:"exemptByTag,omitempty"`
	// How many seconds the events of new VPCs wait, up to 900, so that a stack can create its own flow log first. Default: `0`.
	GraceSeconds int `json:"graceSeconds,omitempty"`
	// An [alarm on rejected traffic](controls.md#the-alarm-on-rejected-traffic) in the home region and in each region with a forwarder, where relight's own flow logs deliver. `{}` has every default. The metric and the alarm cost money in each region. Default: none.
	RejectAlarm *RejectAlarm `json:"rejectAlarm,omitempty"`
	// The subnets that need flow logs of their own, in addition to the VPCs: another traffic type or destination, for example.
	Subnets Selection `json:"subnets,omitzero"`
	// The network interfaces that need flow logs of their own.
	NetworkInterfaces Selection `json:"networkInterfaces,omitzero"`
}

// Destination is a bucket or Firehose stream that flow logs deliver to.
type Destination struct {
	// ARN of the bucket, with an optional folder, or of the stream. `{region}` in it stands for the region of the flow log. A stream's must have it, because a stream is regional.
	ARN string `json:"arn"`
	// How files in a bucket are written: `plain-text` or `parquet`. Default: `plain-text`.
	FileFormat string `json:"fileFormat,omitempty"`
	// Whether the prefixes in a bucket are such as Apache Hive understands.
	HiveCompatiblePartitions bool `json:"hiveCompatiblePartitions,omitempty"`
	// Whether a bucket has a prefix for each hour instead of each day.
	PerHourPartition bool `json:"perHourPartition,omitempty"`
	// ARN of the role of this account that delivers to a stream of another account.
	RoleARN string `json:"roleArn,omitempty"`
	// ARN of the role of the stream's account that receives.
	CrossAccountRoleARN string `json:"crossAccountRoleArn,omitempty"`
}

// Selection chooses subnets or network interfaces.
type Selection struct {
	// IDs of those that need a flow log.
	IDs []string `json:"ids,omitempty"`
	// Tags of those that need a flow log: all of the tags. Whoever may remove a tag can end that; the IDs only you can change.
	Tags map[string]string `json:"tags,omitempty"`
	// The traffic that their flow logs must record. Default: `flowLogs.trafficType`.
	TrafficType string `json:"trafficType,omitempty"`
	// Where relight's own flow logs on them go. Default: `flowLogs.destination`.
	Destination Destination `json:"destination,omitzero"`
}

func (s Selection) selection() catalog.Selection {
	return catalog.Selection{IDs: s.IDs, Tags: s.Tags, TrafficType: s.TrafficType, To: s.Destination.destined()}
}

func (d Destination) destined() catalog.Destined {
	return catalog.Destined{
		ARN: d.ARN, Role: d.RoleARN, CrossAccountRole: d.CrossAccountRoleARN,
		Files: catalog.Files{Parquet: d.FileFormat == parquet, Hive: d.HiveCompatiblePartitions, Hourly: d.PerHourPartition},
	}
}

// RejectAlarm sets the alarm on rejected traffic.
type RejectAlarm struct {
	// How many records of rejected traffic in one period trigger the alarm. Default: `10000`.
	Threshold *float64 `json:"threshold,omitempty"`
	// Length of the period in seconds, a multiple of 60 up to 86400. Default: `900`.
	PeriodSeconds *int32 `json:"periodSeconds,omitempty"`
}

// Trail says which trail relight protects and where the trail delivers. relight
// takes empty fields from what it remembers of the trail.
type Trail struct {
	// Name or ARN of the trail. Default: the remembered trail, or the one that does the job best.
	Name string `json:"name,omitempty"`
	// Name of the bucket that receives the trail's log files. Default: the remembered bucket.
	Bucket string `json:"bucket,omitempty"`
	// ARN of the KMS key that encrypts the trail's log files. Default: the remembered key.
	KeyARN string `json:"keyArn,omitempty"`
	// ARN of the role that delivers to the trail's log group. Default: the remembered role.
	RoleARN string `json:"roleArn,omitempty"`
	// Whether the stack creates a trail, named after the prefix, with everything the trail needs. Use this in an account without a trail.
	Create bool `json:"create,omitempty"`
}

// TrailLogs is the policy for the trail's log group.
type TrailLogs struct {
	// Name of the log group. With several trails, set `trail.name` instead. Default: discovered from the trail.
	LogGroup string `json:"logGroup,omitempty"`
	// The shortest retention that the log group may have, in days.
	RetentionDays int32 `json:"retentionDays,omitempty"`
}

// Alarms is the policy for the controls' alarms.
type Alarms struct {
	// Whether relight deletes mute rules and removes suppressors that silence a control's alarm, regardless of who created them and what else they affect. If not, relight reports them.
	RemoveMutes bool `json:"removeMutes,omitempty"`
}

// Adopt names what others made and relight may rely on.
type Adopt struct {
	// Names of metric filters on the trail's log group. If one measures a control, relight creates none for it, and an alarm on its metric may satisfy the control.
	Filters []string `json:"filters,omitempty"`
	// ARNs of topics. An alarm of others satisfies a control only if it notifies one of them or relight's own.
	Topics []string `json:"topics,omitempty"`
	// ARNs of the log groups, buckets and Firehose streams to which flow logs of others deliver. Such a flow log satisfies the policy, and once it is proven, relight deletes its own.
	FlowLogs []string `json:"flowLogs,omitempty"`
}

// A ControlChange tunes one control of the catalog.
type ControlChange struct {
	// Whether relight ignores the control. relight does not delete its filter and alarm.
	Disabled bool `json:"disabled,omitempty"`
	// How many matching events in one period trigger the alarm. Default: `1`.
	Threshold *float64 `json:"threshold,omitempty"`
	// Length of the period in seconds, a multiple of 60 up to 86400. Default: `300`.
	PeriodSeconds *int32 `json:"periodSeconds,omitempty"`
}

// NewControl adds a control that the user defines.
type NewControl struct {
	// The ID in the names of the filter, the metric and the alarm: up to 60 lower-case letters, digits and hyphens.
	ID string `json:"id"`
	// What the control measures. Default: the ID.
	Title string `json:"title,omitempty"`
	// A CloudWatch Logs filter pattern, up to 1024 characters.
	Pattern string `json:"pattern"`
	// How many matching events in one period trigger the alarm. Default: `1`.
	Threshold *float64 `json:"threshold,omitempty"`
	// Length of the period in seconds, a multiple of 60 up to 86400. Default: `300`.
	PeriodSeconds *int32 `json:"periodSeconds,omitempty"`
}

// Pause says who may pause relight.
type Pause struct {
	// ARNs of the roles and users that may pause relight for a while, with `*` and `?`. Whoever can act as one of them can keep relight from restoring for up to 12 hours a day. Default: nobody.
	By []string `json:"by,omitempty"`
}

// Audit says what relight does with audits of the account.
type Audit struct {
	// Has the stack audit the account and [publish the findings to Security Hub](audit.md#findings-in-security-hub), in the home region. Security Hub must be enabled there. `{}` has every default. Default: none.
	SecurityHub *SecurityHub `json:"securityHub,omitempty"`
}

// SecurityHub says which audits Security Hub gets.
type SecurityHub struct {
	// IDs of the [frameworks](controls.md#frameworks) to audit, or `all`. Default: `cis-5.0`.
	Frameworks []string `json:"frameworks,omitempty"`
	// Hours between two audits, from 1 to 24. Default: `24`.
	Hours *int `json:"hours,omitempty"`
}

// Organization says which accounts of an organisation a deployment guards. Without
// accounts and OUs, it guards all of them.
type Organization struct {
	// ID of the organisation.
	ID string `json:"id"`
	// The account of the home stack, which guards the others: the delegated administrator for security, or any other member. It is always guarded.
	HubAccount string `json:"hubAccount"`
	// The guarded accounts, beside those in `ous`. Default: without `ous` too, all of the organisation.
	Accounts []string `json:"accounts,omitempty"`
	// The roots and organisational units whose accounts are guarded, with those in the units below. The events of an account that only `ous` or `excludeOus` decide about count once a sweep has found it there.
	OUs []string `json:"ous,omitempty"`
	// Accounts that are not guarded.
	ExcludeAccounts []string `json:"excludeAccounts,omitempty"`
	// Organisational units whose accounts are not guarded, with those in the units below, unless `accounts` lists them.
	ExcludeOUs []string `json:"excludeOus,omitempty"`
	// The role that the functions of the hub assume in each guarded account. Default: `<prefix>-spoke`.
	RoleName string `json:"roleName,omitempty"`
	// The external ID that these functions have to name. It keeps nobody out who can read the role. Default: none.
	ExternalID string `json:"externalId,omitempty"`
	// How many accounts a sweep has in hand at once, from 1 to 1000. Each takes one of the functions that Lambda runs at once in the hub's account. Default: `8`.
	Concurrency *int `json:"concurrency,omitempty"`
}

// LastResort is the second way to people. It has no key that somebody could close.
type LastResort struct {
	// ARN of a topic of yours in another account or region. It carries the same messages, in addition. Its policy must [admit relight](operations.md#a-topic-elsewhere). Default: none.
	Topic string `json:"topic,omitempty"`
	// Its subscribers. Choose others than those of the topic, best of another account. Default: `subscribers`.
	Subscribers []Subscriber `json:"subscribers,omitempty"`
}

// Subscriber is one subscription of the topic.
type Subscriber struct {
	// `email`, `email-json`, `https`, `sms`, `sqs` or `lambda`.
	Protocol string `json:"protocol"`
	// The address, URL or ARN.
	Endpoint string `json:"endpoint"`
	// The [severity](messages.md#severity) from which on it gets messages: `critical`, `high`, `low` or `info`. Alarms have no severity and [reach it in any case](operations.md#who-hears-what). Default: `notify.minimum`.
	Minimum string `json:"minimum,omitempty"`
	// An SNS filter policy over the [attributes](messages.md#attributes-and-filter-policies) of messages, such as `{"region": ["eu-west-1"]}`. It [keeps out alarms](operations.md#who-hears-what), which have no attributes.
	FilterPolicy catalog.FilterPolicy `json:"filterPolicy,omitempty"`
	// `chat` if the endpoint is [Amazon Q Developer in chat applications](messages.md#chat-channels), which shows messages in Slack and Teams. Then every `https` subscriber has to be one.
	Format string `json:"format,omitempty"`
}

// Notify says which messages subscribers get.
type Notify struct {
	// The [severity](messages.md#severity) from which on a subscriber gets messages that has no `minimum` of its own: `critical`, `high`, `low` or `info`. relight sends no message that no subscriber gets. Default: `low` for people (`email`, `email-json`, `sms` and chat), `info` for machines.
	Minimum string `json:"minimum,omitempty"`
}

// Load reads a configuration from a file. The file is either a cdk.json with
// the configuration at context.relight, or the configuration itself.
func Load(path string) (Config, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	doc, bad := parse(raw)
	doc = bad.ofApp(doc)
	c, err := of(doc, bad)
	if err != nil {
		return Config{}, fmt.Errorf("configuration in %s: %w", path, err)
	}
	return c, nil
}

// Repeated returns the keys that a configuration in a file has twice, as an error. There
// need not be a file.
func Repeated(path string) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	doc, bad := parse(raw)
	bad.ofApp(doc).eachRepeated("", func(path string) { bad.unless(false, "%s is there twice: remove one", path) })
	return bad.join()
}

// ofApp returns the configuration in a cdk.json, and any other document unchanged. A
// cdk.json need not have one, but a key that looks like a misspelt one is a problem.
func (p *problems) ofApp(doc element) element {
	const key = "relight"
	app, _ := doc.value.(map[string]element)
	context, isApp := app["context"]
	if !isApp {
		return doc
	}
	p.unless(!slices.Contains(doc.repeated, "context"), "context is there twice: remove one")
	keys, ok := context.value.(map[string]element)
	p.unless(ok, "context: use an object in { } instead of this %s", context.sort())
	p.unless(!slices.Contains(context.repeated, key), "context.%s is there twice: remove one", key)
	doc, ok = keys[key]
	for _, k := range sortedKeys(keys) {
		p.unless(ok || distance(strings.ToLower(k), key) > 2, "unknown key %q: did you mean %q?", "context."+k, "context."+key)
	}
	return doc
}

// Parse decodes, completes and validates a configuration. It returns every
// problem at once, joined. It returns the default configuration if raw is empty.
func Parse(raw []byte) (Config, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		raw = []byte("{}")
	}
	doc, bad := parse(raw)
	return of(doc, bad)
}

// of decodes, completes and validates a configuration that has been parsed, with the
// problems that were found until then. Nothing stands for the default one.
func of(doc element, bad problems) (Config, error) {
	// The numbers have their defaults before decoding, so that a 0 in doc is not
	// taken for an absent number.
	c := Config{SweepMinutes: 15, TrailLogs: TrailLogs{RetentionDays: 365}}
	c.FlowLogs.RetentionDays, c.FlowLogs.AggregationSeconds = 365, 600
	if doc.value != nil {
		bad = append(bad, decode(doc, &c)...)
	}
	c.complete()
	return c, errors.Join(bad.join(), c.validate())
}

const defaultPrefix = "relight"

// complete fills in the default texts. It also removes white space around the
// patterns of controls, because CloudWatch Logs does not find the braces of a
// JSON pattern behind it.
func (c *Config) complete() {
	c.Prefix = cmp.Or(c.Prefix, defaultPrefix)
	c.FlowLogs.TrafficType = cmp.Or(c.FlowLogs.TrafficType, catalog.TrafficReject)
	c.FlowLogs.LogGroup = cmp.Or(c.FlowLogs.LogGroup, c.Prefix+"-flow-logs")
	for i := range c.AddControls {
		c.AddControls[i].Pattern = strings.TrimSpace(c.AddControls[i].Pattern)
	}
}

// Mode returns how far relight goes for a kind.
func (c Config) Mode(k catalog.Kind) catalog.Mode {
	if m := c.Modes[string(k)]; m != "" {
		return catalog.Mode(m)
	}
	return catalog.Repair
}

// Watched returns the kinds that are not off.
func (c Config) Watched() []catalog.Kind {
	return slices.DeleteFunc(catalog.Kinds(), func(k catalog.Kind) bool { return c.Mode(k) == catalog.Off })
}

// DeploymentFromEnv reads the functions' environment. It returns an error
// that names every variable that is not set.
func DeploymentFromEnv(getenv func(string) string) (catalog.Deployment, error) {
	var errs []error
	get := func(key string) string {
		v := getenv(key)
		if v == "" {
			errs = append(errs, fmt.Errorf("environment variable %s is not set: deploy the stack again", key))
		}
		return v
	}
	d := catalog.Deployment{
		Account:      get(catalog.EnvAccount),
		HomeRegion:   get(catalog.EnvHomeRegion),
		Topic:        get(catalog.EnvTopic),
		TopicKey:     get(catalog.EnvTopicKey),
		LastResort:   get(catalog.EnvLastResort),
		DeliveryRole: get(catalog.EnvDeliveryRole),
		Role:         get(catalog.EnvRole),
		SweepRole:    get(catalog.EnvSweepRole),
		DeadLetters:  DeadLetters(get(catalog.EnvDeadLetters)),
		Schedule:     get(catalog.EnvSchedule),
		ScheduleRole: get(catalog.EnvScheduleRole),
		Logs:         get(catalog.EnvLogs),
		Queue:        getenv(catalog.EnvQueue), // the sweep has none
	}
	return d, errors.Join(errs...)
}

// LastSubscribers returns the subscribers of the topic of last resort.
func (c Config) LastSubscribers() []Subscriber {
	if c.LastResort.Subscribers == nil {
		return c.Subscribers
	}
	return c.LastResort.Subscribers
}

// DeadLetters reads the names of the dead-letter queues, by ID, as the stack writes
// them.
func DeadLetters(text string) map[string]string {
	names := map[string]string{}
	for pair := range strings.FieldsSeq(text) {
		id, name, _ := strings.Cut(pair, "=")
		names[id] = name
	}
	return names
}

// Desired returns the desired state of an account with a deployment.
func (c Config) Desired(d catalog.Deployment) catalog.Desired {
	return catalog.Desired{Baseline: c.Baseline(), Deployment: d}
}

// Baseline returns the desired state that the configuration sets for every
// account.
func (c Config) Baseline() catalog.Baseline {
	b := catalog.Baseline{
		Prefix: c.Prefix,
		Tags:   map[string]string{},
		FlowLogs: catalog.FlowLogSpec{
			TrafficType:   c.FlowLogs.TrafficType,
			Format:        c.FlowLogs.Format,
			Destinations:  c.FlowLogs.Destinations,
			LogGroup:      c.FlowLogs.LogGroup,
			To:            c.FlowLogs.Destination.destined(),
			RetentionDays: c.FlowLogs.RetentionDays,
			Aggregation:   c.FlowLogs.AggregationSeconds,
			ExemptVPCs:    c.FlowLogs.ExemptVPCs,
			ExemptByTag:   c.FlowLogs.ExemptByTag,
			Chosen: map[catalog.ResourceType]catalog.Selection{
				catalog.Subnet: c.FlowLogs.Subnets.selection(), catalog.Interface: c.FlowLogs.NetworkInterfaces.selection(),
			},
		},
		Trail:    catalog.TrailSpec{Name: c.Trail.Name, Bucket: c.Trail.Bucket, KeyARN: c.Trail.KeyARN, RoleARN: c.Trail.RoleARN},
		LogGroup: catalog.LogGroupSpec{Name: c.TrailLogs.LogGroup, RetentionDays: c.TrailLogs.RetentionDays},
		Boundary: c.PermissionsBoundary,
		KMSKeys:  c.KMSKeys,
		Regions:  c.Regions,
		Skipped:  c.SkipRegions,
		Adopt:    catalog.Adoption{Filters: c.Adopt.Filters, Topics: c.Adopt.Topics, FlowLogs: c.Adopt.FlowLogs},

		PauseBy: c.Pause.By,

		Guard: catalog.GuardSpec{GraceSeconds: c.FlowLogs.GraceSeconds, SweepMinutes: c.SweepMinutes},

		ProtectGroups: c.DeletionProtection == nil || *c.DeletionProtection,
		RemoveMutes:   c.Alarms.RemoveMutes,

		FarTopic: c.LastResort.Topic,
	}
	b.Guard.Kinds = c.Watched()
	maps.Copy(b.Tags, c.Tags)
	b.Tags[catalog.OwnerTag] = c.Prefix
	if h := c.Audit.SecurityHub; h != nil {
		b.Audit = catalog.AuditSpec{Frameworks: h.frameworks(), Hours: or(h.Hours, catalog.AuditHours)}
	}
	if o := c.Organization; o != nil {
		b.Organization = catalog.Organization{
			ID: o.ID, Hub: o.HubAccount, Role: cmp.Or(o.RoleName, b.Name(catalog.SpokeRole)), ExternalID: o.ExternalID,
			Accounts: o.Accounts, OUs: o.OUs, ExcludeAccounts: o.ExcludeAccounts, ExcludeOUs: o.ExcludeOUs,
			Concurrency: or(o.Concurrency, catalog.DefaultConcurrency),
		}
	}
	b.StackAlarms = b.AlarmsOfStack(c.Watched(), int32(c.SweepMinutes)*60)
	for _, row := range catalog.ControlsFor(c.Prefix) {
		change := c.Controls[row.ID]
		if change.Disabled {
			continue
		}
		row.Threshold = or(change.Threshold, row.Threshold)
		row.Period = or(change.PeriodSeconds, row.Period)
		b.Controls = append(b.Controls, row)
	}
	if a := c.FlowLogs.RejectAlarm; a != nil {
		b.FlowLogControls = append(b.FlowLogControls, catalog.RejectControl(b.FlowLogs.WantFormat(),
			or(a.Threshold, catalog.RejectThreshold), or(a.PeriodSeconds, catalog.RejectPeriod)))
	}
	for _, n := range c.AddControls {
		b.Controls = append(b.Controls, catalog.Control{
			ID: n.ID, Title: cmp.Or(n.Title, n.ID), Pattern: n.Pattern,
			Threshold: or(n.Threshold, catalog.AlarmThreshold),
			Period:    or(n.PeriodSeconds, catalog.AlarmPeriod),
		})
	}
	c.notified(&b)
	return b
}

// frameworks returns the IDs of the frameworks to audit, each once.
func (h SecurityHub) frameworks() []string {
	if slices.Contains(h.Frameworks, allFrameworks) {
		return catalog.FrameworkIDs()
	}
	var ids []string
	for _, id := range h.Frameworks {
		if id = strings.ToLower(id); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return []string{catalog.DefaultFramework}
	}
	return ids
}

// or returns what the configuration says, or the default if it says nothing.
func or[T any](says *T, standard T) T {
	if says == nil {
		return standard
	}
	return *says
}

// GrantKeys returns the keys in this configuration that some permissions of the
// functions require, for a deployment with that home region.
func (c Config) GrantKeys(home string) []string {
	b := c.Baseline()
	return slices.DeleteFunc(catalog.GrantKeys(), func(key string) bool {
		if key == catalog.KeyForwarders {
			return len(b.Forwarders(home)) == 0
		}
		return !b.Has(key)
	})
}

// FastRegions returns the regions whose events reach this deployment, starting
// with the home region.
func (c Config) FastRegions(home string) []string {
	regions := []string{home}
	for _, r := range c.Regions {
		if !slices.Contains(regions, r) {
			regions = append(regions, r)
		}
	}
	return regions
}
