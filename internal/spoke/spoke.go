// Package spoke writes the CloudFormation template of a guarded account of an
// organisation: the role that the hub's functions assume there, what relight's flow logs
// and the alarms lean on, and the rules that send events to the hub. No code of relight's
// runs in such an account.
//
// The template comes from the tables of the catalog from which the stacks of the hub come
// too. It is plain: it needs no bootstrap, no assets and no transform, and one text fits
// every account and region, as a stack set requires. What is global is made in the home
// region alone, except for the role of a region's rules: each stack has its own, so that
// none waits for another.
package spoke

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

// Limits of CloudFormation and IAM. Sources: AWS CloudFormation User Guide, "Understand
// CloudFormation quotas", documented (the template's body in a request; one in S3 may have
// 1 MB); IAM User Guide, "IAM and AWS STS quotas", documented (the length of a trust
// policy, which AWS raises on request up to 8,192, without white space).
const (
	BodyBytes  = 51200
	TrustChars = 2048
)

// object is a JSON object.
type object = map[string]any

// A template is one that is being written.
type template struct {
	catalog.Baseline
	config config.Config
	home   string // home region

	conditions, resources object
}

// Template returns the template of a guarded account, as JSON, for a hub with that home
// region. It depends on nothing else. It returns an error if the configuration names no
// organisation, or if IAM or CloudFormation would refuse what it says.
func Template(c config.Config, home string) ([]byte, error) {
	t := template{Baseline: c.Baseline(), config: c, home: home, conditions: object{}, resources: object{}}
	if !t.Organization.On() {
		return nil, errors.New("the configuration names no organisation: set organization.id and organization.hubAccount")
	}
	t.conditions = object{
		atHome:     equals(ref("AWS::Region"), home),
		ownsTrail:  both(atHome, equals(ref(paramOwner), yes)),
		makesRole:  both(atHome, equals(ref(paramKept), no)),
		makesTopic: both(ownsTrail, equals(ref(paramKept), no)),
	}
	t.role()
	t.delivery()
	t.topic()
	t.forwarder()
	if err := t.fits(); err != nil {
		return nil, err
	}
	return text(object{
		"AWSTemplateFormatVersion": "2010-09-09",
		"Description":              "relight: lets account " + t.Organization.Hub + " turn this account's audit lights back on",
		"Parameters": object{
			paramOwner: flag("yes if this account owns a trail whose log group and alarms relight is to protect. It then gets a topic for these alarms."),
			paramKept:  flag("yes if an earlier stack of this template left its delivery role here, and its topic if the account owns a trail."),
			paramKey: object{
				"Type": "String", "Default": "", "AllowedPattern": `(arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+)?`,
				"Description": "ARN of the key of that topic. Leave it empty if there is none.",
			},
		},
		"Conditions": t.conditions,
		"Resources":  t.resources,
		"Outputs": object{
			"RoleArn": object{"Condition": atHome, "Description": "The role that the functions of the hub assume", "Value": attribute(roleID, "Arn")},
		},
	})
}

// The parameters of the template, and the values of those that are flags.
const (
	paramOwner = "OwnsTrail"
	paramKept  = "Kept"
	paramKey   = "KeptTopicKey"

	yes, no = "yes", "no"
)

// The conditions of the template, beside those of rules.
const (
	atHome     = "AtHome"
	ownsTrail  = "OwnsTrailHere"
	makesRole  = "MakesDeliveryRole"
	makesTopic = "MakesTopic"
)

func flag(description string) object {
	return object{"Type": "String", "Default": no, "AllowedValues": []any{no, yes}, "Description": description}
}

// text renders a template with a line break at its end. Keys are sorted.
func text(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	if out.Len() > BodyBytes {
		return nil, fmt.Errorf("the template has %d bytes, and CloudFormation takes %d in a request: choose fewer kinds, or name fewer resources of flow logs", out.Len(), BodyBytes)
	}
	return out.Bytes(), nil
}

// The intrinsic functions of CloudFormation that the template uses.

func ref(name string) object           { return object{"Ref": name} }
func attribute(id, name string) object { return object{"Fn::GetAtt": []any{id, name}} }
func equals(a, b any) object           { return object{"Fn::Equals": []any{a, b}} }
func both(condition string, b object) object {
	return object{"Fn::And": []any{object{"Condition": condition}, b}}
}

func either(condition string, then, otherwise any) object {
	return object{"Fn::If": []any{condition, then, otherwise}}
}
