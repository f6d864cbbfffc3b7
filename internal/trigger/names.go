package trigger

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

// shapes say what names look like. What looks otherwise is not asked for by
// name: as the value of an EC2 filter, "vpc-*" matches what no event named.
// Sources: EC2 API Reference, Filter; CloudWatch API Reference,
// PutMetricAlarm.
var shapes = map[catalog.ResourceType]catalog.Shape{
	catalog.VPC:       catalog.VPCShape,
	catalog.LogGroup:  catalog.LogGroupShape,
	catalog.Topic:     catalog.TopicShape,
	catalog.Bucket:    catalog.BucketShape,
	catalog.Key:       catalog.KeyShape,
	catalog.Region:    catalog.RegionShape,
	catalog.Trail:     catalog.TrailShape,
	catalog.Alarm:     catalog.AlarmShape,
	catalog.Role:      catalog.RoleShape,
	catalog.IAMPolicy: catalog.PolicyShape,

	catalog.MutedAlarm:     catalog.AlarmShape,
	catalog.CompositeAlarm: catalog.AlarmShape,
}

// namesAt returns the names found in a detail at a path, or none: for an
// event without a usable name, a null or oversized part, or a shape that was
// never seen. Seen were a string, a list of strings, EC2's one-element list
// as an object {"content": …, "tag": 1}, and a part of the record as a string
// of JSON. One name that cannot be used spoils the others: they would be less
// than the event harmed.
//
// A list of EC2's {"resourceId": …} may name resources of any type, of which
// those of another type are left out; foreign says that it names only such.
func namesAt(detail json.RawMessage, path string, of catalog.ResourceType) (found remedy.Names, foreign bool) {
	if path == "" {
		return "", false
	}
	names, ok := texts(nodeAt(detail, path))
	for i := range names {
		names[i] = canonical(names[i], of)
	}
	if all := len(names); ok && strings.HasSuffix(path, ".items") {
		names = slices.DeleteFunc(names, func(n string) bool { return resourceID.MatchString(n) && !strings.HasPrefix(n, string(of)+"-") })
		if all > 0 && len(names) == 0 {
			return "", true
		}
	}
	shape, shaped := shapes[of]
	if !ok || !shaped || slices.ContainsFunc(names, func(n string) bool { return !shape.MatchString(n) }) {
		return "", false
	}
	return remedy.NamesOf(names...), false
}

// resourceID is what the IDs of EC2's resources look like. Source: EC2 API
// Reference, "Resource IDs".
var resourceID = regexp.MustCompile(`^[a-z]+(-[a-z]+)*-[0-9a-f]+$`)

// nodeAt returns what is in a detail at a path, or nil. Of two paths with "|"
// between them it takes the first that leads somewhere.
func nodeAt(detail json.RawMessage, paths string) any {
	var root any
	if json.Unmarshal(detail, &root) != nil {
		return nil
	}
	for path := range strings.SplitSeq(paths, "|") {
		node := root
		for member := range strings.SplitSeq(path, ".") {
			object, _ := unquote(node).(map[string]any)
			node = object[member]
		}
		if node != nil {
			return node
		}
	}
	return nil
}

// canonical returns a name as the account's listings have it: some calls take
// a log group's ARN, with or without ":*" behind it, as well as its name.
// Source: CloudWatch Logs API Reference, LogGroup.
func canonical(name string, of catalog.ResourceType) string {
	at, err := arn.Parse(name)
	if of != catalog.LogGroup || err != nil {
		return name
	}
	return strings.TrimPrefix(strings.TrimSuffix(at.Resource, ":*"), "log-group:")
}

// harmless reports whether a call has the parameter that makes it harmless.
func harmless(c catalog.Call, detail json.RawMessage) bool {
	return c.Harmless.Path != "" && fmt.Sprint(nodeAt(detail, c.Harmless.Path)) == c.Harmless.Text
}

// texts returns the strings of a node, and false if any part of it is
// something else.
func texts(node any) ([]string, bool) {
	switch node := node.(type) {
	case string:
		return []string{node}, true
	case map[string]any:
		if id, ok := node["resourceId"]; ok {
			return texts(id)
		}
		return texts(node["content"])
	case []any:
		var all []string
		for _, e := range node {
			some, ok := texts(e)
			if !ok {
				return nil, false
			}
			all = append(all, some...)
		}
		return all, len(all) > 0
	}
	return nil, false
}

// unquote returns the value in a string of JSON, and any other node as it is.
func unquote(node any) any {
	s, ok := node.(string)
	if !ok {
		return node
	}
	var inner any
	if json.Unmarshal([]byte(s), &inner) != nil {
		return node
	}
	return inner
}
