// Package config is relight's configuration: defaults, strict decoding and
// validation. The stack and the CLI read it from cdk.json, the functions from
// the file that the stack wrote beside them.
package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/relight-aws/relight/internal/catalog"
)

// Config is the object under context.relight in cdk.json. Every key has a
// default; the empty object is a good configuration.
type Config struct {
	Prefix       string                   `json:"prefix,omitempty"`       // of every name relight gives; "relight"
	HomeRegion   string                   `json:"homeRegion,omitempty"`   // the trail's home region; the CDK's region where empty
	Regions      []string                 `json:"regions,omitempty"`      // further regions that get the fast path
	SkipRegions  []string                 `json:"skipRegions,omitempty"`  // enabled regions that are not swept: those a service control policy denies
	SweepMinutes int                      `json:"sweepMinutes,omitempty"` // 15
	Modes        map[string]string        `json:"modes,omitempty"`        // kind to repair, observe or off; repair
	FlowLogs     FlowLogs                 `json:"flowLogs,omitzero"`
	Trail        Trail                    `json:"trail,omitzero"`
	TrailLogs    TrailLogs                `json:"trailLogs,omitzero"`
	Alarms       Alarms                   `json:"alarms,omitzero"`
	Controls     map[string]ControlChange `json:"controls,omitempty"` // changes to the controls of the catalog, by ID
	AddControls  []NewControl             `json:"addControls,omitempty"`
	Subscribers  []Subscriber             `json:"subscribers,omitempty"` // of the topic
	KMSKeys      map[string]string        `json:"kmsKeys,omitempty"`     // region to the ARN of the key for log groups relight creates
	Tags         map[string]string        `json:"tags,omitempty"`

	DeletionProtection    *bool  `json:"deletionProtection,omitempty"`    // of the log groups relight creates; true
	PermissionsBoundary   string `json:"permissionsBoundary,omitempty"`   // ARN of the managed policy that bounds every role of the stacks
	TerminationProtection bool   `json:"terminationProtection,omitempty"` // of the stacks
}

// FlowLogs is the policy for VPC flow logs.
type FlowLogs struct {
	TrafficType        string   `json:"trafficType,omitempty"`        // REJECT, ACCEPT or ALL; REJECT
	Format             string   `json:"format,omitempty"`             // AWS's default format
	Destinations       []string `json:"destinations,omitempty"`       // destination types that count; any
	LogGroup           string   `json:"logGroup,omitempty"`           // "<prefix>-flow-logs"
	RetentionDays      int32    `json:"retentionDays,omitempty"`      // 365
	AggregationSeconds int32    `json:"aggregationSeconds,omitempty"` // 600
	ExemptVPCs         []string `json:"exemptVpcs,omitempty"`
	ExemptByTag        bool     `json:"exemptByTag,omitempty"`  // a tag exempts too
	GraceSeconds       int      `json:"graceSeconds,omitempty"` // that the events of new VPCs wait; 0
}

// Trail says which trail is guarded and where it delivers. What it leaves
// empty is taken from the trail as it was remembered.
type Trail struct {
	Name    string `json:"name,omitempty"`    // name or ARN; chosen
	Bucket  string `json:"bucket,omitempty"`  // of the log files; as remembered
	KeyARN  string `json:"keyArn,omitempty"`  // of their KMS key; as remembered
	RoleARN string `json:"roleArn,omitempty"` // that delivers to the log group; as remembered
	Create  bool   `json:"create,omitempty"`  // the stack makes a trail, with all it needs
}

// TrailLogs is the policy for the trail's log group.
type TrailLogs struct {
	LogGroup      string `json:"logGroup,omitempty"`      // discovered from the trail
	RetentionDays int32  `json:"retentionDays,omitempty"` // 365
}

// Alarms is the policy for the controls' alarms.
type Alarms struct {
	RemoveMutes bool `json:"removeMutes,omitempty"` // delete the mute rules and suppressors that silence them, instead of reporting them
}

// A ControlChange tunes one control of the catalog.
type ControlChange struct {
	Disabled      bool    `json:"disabled,omitempty"`
	Threshold     float64 `json:"threshold,omitempty"`     // matching events in one period; 1
	PeriodSeconds int32   `json:"periodSeconds,omitempty"` // 300
}

// NewControl adds a control of the user's own.
type NewControl struct {
	ID            string  `json:"id"`
	Title         string  `json:"title,omitempty"`
	Pattern       string  `json:"pattern"`
	Threshold     float64 `json:"threshold,omitempty"`
	PeriodSeconds int32   `json:"periodSeconds,omitempty"`
}

// Subscriber is one subscription of the topic.
type Subscriber struct {
	Protocol string `json:"protocol"` // email, email-json, https, sms, sqs or lambda
	Endpoint string `json:"endpoint"`
}

// Load reads a configuration from a file: either cdk.json, whose
// context.relight it takes, or the bare object.
func Load(path string) (Config, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	var app struct {
		Context *struct {
			Relight json.RawMessage `json:"relight"`
		} `json:"context"`
	}
	if err := json.Unmarshal(raw, &app); err == nil && app.Context != nil {
		raw = app.Context.Relight
	}
	c, err := Parse(raw)
	if err != nil {
		return Config{}, fmt.Errorf("configuration in %s: %w", path, err)
	}
	return c, nil
}

// Parse decodes, completes and validates a configuration. It returns every
// problem at once, joined. Empty input is the default configuration.
func Parse(raw []byte) (Config, error) {
	var c Config
	if len(bytes.TrimSpace(raw)) == 0 {
		raw = []byte("{}")
	}
	unknown := unknownKeys(raw, c)
	if err := json.Unmarshal(raw, &c); err != nil {
		return Config{}, errors.Join(unknown, fmt.Errorf("not a configuration: %w", err))
	}
	c.complete()
	return c, errors.Join(unknown, c.validate())
}

// complete fills in the defaults.
func (c *Config) complete() {
	setDefault(&c.Prefix, "relight")
	setDefault(&c.SweepMinutes, 15)
	setDefault(&c.FlowLogs.TrafficType, catalog.TrafficReject)
	setDefault(&c.FlowLogs.LogGroup, c.Prefix+"-flow-logs")
	setDefault(&c.FlowLogs.RetentionDays, 365)
	setDefault(&c.FlowLogs.AggregationSeconds, 600)
	setDefault(&c.TrailLogs.RetentionDays, 365)
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Mode returns how far relight goes for a kind.
func (c Config) Mode(k catalog.Kind) catalog.Mode {
	if m := c.Modes[string(k)]; m != "" {
		return catalog.Mode(m)
	}
	return catalog.Repair
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
		DeliveryRole: get(catalog.EnvDeliveryRole),
	}
	return d, errors.Join(errs...)
}

// Desired returns the desired state of an account that relight is deployed in.
func (c Config) Desired(d catalog.Deployment) catalog.Desired {
	return catalog.Desired{Baseline: c.Baseline(), Deployment: d}
}

// Baseline returns what the configuration asks of every account.
func (c Config) Baseline() catalog.Baseline {
	b := catalog.Baseline{
		Prefix: c.Prefix,
		Tags:   map[string]string{},
		FlowLogs: catalog.FlowLogSpec{
			TrafficType:   c.FlowLogs.TrafficType,
			Format:        c.FlowLogs.Format,
			Destinations:  c.FlowLogs.Destinations,
			LogGroup:      c.FlowLogs.LogGroup,
			RetentionDays: c.FlowLogs.RetentionDays,
			Aggregation:   c.FlowLogs.AggregationSeconds,
			ExemptVPCs:    c.FlowLogs.ExemptVPCs,
			ExemptByTag:   c.FlowLogs.ExemptByTag,
		},
		Trail:    catalog.TrailSpec{Name: c.Trail.Name, Bucket: c.Trail.Bucket, KeyARN: c.Trail.KeyARN, RoleARN: c.Trail.RoleARN},
		LogGroup: catalog.LogGroupSpec{Name: c.TrailLogs.LogGroup, RetentionDays: c.TrailLogs.RetentionDays},
		Boundary: c.PermissionsBoundary,
		KMSKeys:  c.KMSKeys,

		ProtectGroups: c.DeletionProtection == nil || *c.DeletionProtection,
		RemoveMutes:   c.Alarms.RemoveMutes,
	}
	maps.Copy(b.Tags, c.Tags)
	b.Tags[catalog.OwnerTag] = c.Prefix
	for _, s := range c.Subscribers {
		b.Subscribers = append(b.Subscribers, catalog.Subscriber(s))
	}
	for _, row := range catalog.Controls() {
		change := c.Controls[row.ID]
		if change.Disabled {
			continue
		}
		row.Threshold = cmp.Or(change.Threshold, row.Threshold)
		row.Period = cmp.Or(change.PeriodSeconds, row.Period)
		b.Controls = append(b.Controls, row)
	}
	for _, n := range c.AddControls {
		b.Controls = append(b.Controls, catalog.Control{
			ID: n.ID, Title: cmp.Or(n.Title, n.ID), Pattern: n.Pattern,
			Threshold: cmp.Or(n.Threshold, catalog.AlarmThreshold),
			Period:    cmp.Or(n.PeriodSeconds, catalog.AlarmPeriod),
		})
	}
	return b
}

// GrantKeys returns the keys of this configuration that some of the functions'
// permissions come with.
func (c Config) GrantKeys() []string {
	var keys []string
	if len(c.KMSKeys) > 0 {
		keys = append(keys, catalog.KeyKMSKeys)
	}
	if c.Alarms.RemoveMutes {
		keys = append(keys, catalog.KeyRemoveMutes)
	}
	return keys
}

// FastRegions returns the regions whose events reach this deployment, home
// first.
func (c Config) FastRegions(home string) []string {
	regions := []string{home}
	for _, r := range c.Regions {
		if !slices.Contains(regions, r) {
			regions = append(regions, r)
		}
	}
	return regions
}
