package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// atDeployment are the paths of the values that neither a template nor a role depends
// on: a template's parameter may set them. A path covers those below it. If subscribers
// want different messages, the stack's alarms notify a second topic: relight sees to that
// itself, as it restores those alarms.
var atDeployment = []string{
	"addControls", "adopt", "controls", "deletionProtection", "flowLogs.aggregationSeconds", "flowLogs.exemptVpcs",
	"flowLogs.format", "flowLogs.retentionDays", "flowLogs.trafficType", "lastResort.subscribers", "notify", "subscribers", "trail.name",
	"trailLogs.retentionDays",
}

// AtDeployment returns the paths of the values that With accepts, sorted.
func AtDeployment() []string { return slices.Clone(atDeployment) }

// With returns c, which is complete, with the keys that a JSON object has in their place:
// each replaces the whole value of its key. An empty text changes nothing. Returns an
// error that lists the values which only a synthesis of the templates can change.
func (c Config) With(changes string) (Config, error) {
	if strings.TrimSpace(changes) == "" {
		return c, nil
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return Config{}, err
	}
	merged := map[string]json.RawMessage{}
	if err := json.Unmarshal(raw, &merged); err != nil {
		return Config{}, err
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal([]byte(changes), &keys); err != nil {
		return Config{}, fmt.Errorf("not a configuration, which is a JSON object: %w", err)
	}
	for key, value := range keys {
		merged[key] = value
	}
	if raw, err = json.Marshal(merged); err != nil {
		return Config{}, err
	}
	changed, err := Parse(raw)
	var fixed []error
	for _, d := range c.Facts().Differences(changed.Facts()) {
		if !slices.ContainsFunc(atDeployment, func(p string) bool { return d.Path == p || strings.HasPrefix(d.Path, p+".") }) {
			fixed = append(fixed, fmt.Errorf("%s: the templates and roles depend on it, so a parameter cannot change it: make release builds templates for your own configuration", d.Path))
		}
	}
	return changed, errors.Join(append([]error{err}, fixed...)...)
}
