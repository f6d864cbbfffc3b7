package awstest

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// Limits of CloudWatch Logs. Sources: CloudWatch Logs API Reference,
// PutMetricFilter (filters in a log group, transformations, dimensions,
// criteria), FilterPattern, DescribeLogGroups and DescribeMetricFilters.
const (
	FiltersPerGroup  = 100
	patternLimit     = 1024
	criteriaLimit    = 2000
	filterDimensions = 3
	mostLogs         = 50
	mostProcessors   = 20 // in a transformer
)

// Sources: CloudWatch Logs API Reference, PutRetentionPolicy and
// CreateLogGroup.
var (
	retentions = []int32{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
	groupName  = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)
	filterName = regexp.MustCompile(`^[^:*]{1,512}$`)
)

const (
	invalidLogs   = "InvalidParameterException"
	noLogResource = "ResourceNotFoundException"
)

// A group is a log group with its metric filters. A change replaces it, so that
// stale reads keep showing the old one.
type group struct {
	types.LogGroup
	tags        map[string]string
	filters     map[string]types.MetricFilter
	transformer []types.Processor
	protection  string // data protection policy
}

func (g group) state() any {
	return map[string]any{
		"class": g.LogGroupClass, "retention": g.RetentionInDays, "key": g.KmsKeyId, "tags": g.tags,
		"protected": g.DeletionProtectionEnabled, "transformer": g.transformer, "masking": g.protection,
	}
}

func (g group) with(change func(*group)) group {
	g.filters = maps.Clone(g.filters)
	change(&g)
	g.MetricFilterCount = aws.Int32(int32(len(g.filters))) // at most FiltersPerGroup
	return g
}

// createLogGroup creates a log group. The class of a log group never changes.
func createLogGroup(c *request, in *cloudwatchlogs.CreateLogGroupInput) error {
	name := *in.LogGroupName
	class := in.LogGroupClass
	if class == "" {
		class = types.LogGroupClassStandard
	}
	reserved := slices.ContainsFunc(slices.Collect(maps.Keys(in.Tags)), func(k string) bool { return strings.HasPrefix(k, "aws:") })
	switch _, exists := c.groups.now[name]; {
	case !groupName.MatchString(name):
		return refuse(invalidLogs, "the name %q is not valid", name)
	case !slices.Contains(class.Values(), class):
		return refuse(invalidLogs, "the class %q is not valid", class)
	case reserved:
		return refuse(invalidLogs, "tag keys starting with 'aws:' are reserved")
	case exists:
		return refuse("ResourceAlreadyExistsException", "The specified log group already exists")
	case len(in.Tags) > 0 && c.denied["TagResource"]: // CloudWatch Logs API Reference, CreateLogGroup, tags
		return refuse("AccessDeniedException", notAuthorized, "logs:TagResource")
	case aws.ToBool(in.DeletionProtectionEnabled) && c.denied["PutLogGroupDeletionProtection"] && !c.doubts(protectionChecked):
		return refuse("AccessDeniedException", notAuthorized, "logs:PutLogGroupDeletionProtection")
	}
	if err := c.badLogKey(in.KmsKeyId, name); err != nil {
		return err
	}
	arn := c.arn("logs", c.name, "log-group:"+name)
	c.groups.write(c.lag)[name] = group{
		LogGroup: types.LogGroup{
			LogGroupName: aws.String(name), LogGroupClass: class, KmsKeyId: in.KmsKeyId,
			Arn: aws.String(arn + ":*"), LogGroupArn: aws.String(arn), DeletionProtectionEnabled: in.DeletionProtectionEnabled,
			MetricFilterCount: aws.Int32(0), CreationTime: aws.Int64(c.now().UnixMilli()),
		},
		tags: maps.Clone(in.Tags), filters: map[string]types.MetricFilter{},
	}
	c.wrote(name)
	return nil
}

const notAuthorized = "User is not authorized to perform: %s"

// badLogKey returns why CloudWatch Logs does not take a key for a log group, or
// nil. Sources: CloudWatch Logs API Reference, CreateLogGroup and AssociateKmsKey
// (a key that does not exist or is disabled); hashicorp/terraform issue 24194
// (text for a key that does not exist) and terraform-provider-aws issue 29282
// (code and text for a key whose policy does not admit CloudWatch Logs).
func (c *request) badLogKey(key *string, group string) error {
	if key == nil {
		return nil
	}
	admitted := strings.Contains(c.keyPolicies[*key], `"logs.`+c.name+`.amazonaws.com"`) // no test denies it
	switch state, exists := c.keys[*key]; {
	case !exists:
		return refuse(doubt(c.Account, badKeyCode, invalidLogs, "AccessDeniedException"), "The specified KMS Key Id could not be found. '%s'", group)
	case state != kmstypes.KeyStateEnabled:
		return refuse(doubt(c.Account, badKeyCode, invalidLogs, "AccessDeniedException"), "The specified KMS Key Id is disabled. '%s'", group)
	case !admitted:
		return refuse("AccessDeniedException", "The specified KMS key does not exist or is not allowed to be used with Arn '%s'", c.arn("logs", c.name, "log-group:"+group))
	}
	return nil
}

// change replaces a log group, and records a write to target.
func (c *request) change(name, target string, f func(*group)) error {
	g, ok := c.groups.now[name]
	if !ok {
		return errNoGroup
	}
	c.groups.write(c.lag)[name] = g.with(f)
	c.wrote(target)
	return nil
}

var errNoGroup = refuse(noLogResource, "The specified log group does not exist.")

// deleteLogGroup deletes a log group with all its filters, unless it is
// protected. Source: CloudWatch Logs API Reference, DeleteLogGroup.
func deleteLogGroup(c *request, in *cloudwatchlogs.DeleteLogGroupInput) error {
	name := *in.LogGroupName
	g, ok := c.groups.now[name]
	switch {
	case !ok:
		return errNoGroup
	case aws.ToBool(g.DeletionProtectionEnabled):
		return refuse("ValidationException", "deletion protection is enabled for the log group")
	}
	delete(c.groups.write(c.lag), name)
	c.wrote(name)
	return nil
}

// putLogGroupDeletionProtection switches a log group's protection against
// DeleteLogGroup on or off.
func putLogGroupDeletionProtection(c *request, in *cloudwatchlogs.PutLogGroupDeletionProtectionInput) error {
	name := c.groupAt(in.LogGroupIdentifier)
	return c.change(name, name, func(g *group) { g.DeletionProtectionEnabled = in.DeletionProtectionEnabled })
}

// groupAt returns the name of the log group that a call identifies by name, or
// by an ARN of this region and account.
func (c *request) groupAt(identifier *string) string {
	return strings.TrimPrefix(aws.ToString(identifier), c.arn("logs", c.name, "log-group:"))
}

// associateKmsKey encrypts a log group's new records with a key. Source:
// CloudWatch Logs API Reference, AssociateKmsKey: by name or by ARN, never
// both, and the key has to exist.
func associateKmsKey(c *request, in *cloudwatchlogs.AssociateKmsKeyInput) error {
	if (in.LogGroupName == nil) == (in.ResourceIdentifier == nil) {
		return refuse(invalidLogs, "give one of logGroupName and resourceIdentifier")
	}
	name := c.groupAt(cmp.Or(in.LogGroupName, in.ResourceIdentifier))
	if err := c.badLogKey(in.KmsKeyId, name); err != nil {
		return err
	}
	return c.change(name, name, func(g *group) { g.KmsKeyId = in.KmsKeyId })
}

// disassociateKmsKey encrypts a log group's new records with CloudWatch Logs'
// own key.
func disassociateKmsKey(c *request, in *cloudwatchlogs.DisassociateKmsKeyInput) error {
	if (in.LogGroupName == nil) == (in.ResourceIdentifier == nil) {
		return refuse(invalidLogs, "give one of logGroupName and resourceIdentifier")
	}
	name := c.groupAt(cmp.Or(in.LogGroupName, in.ResourceIdentifier))
	return c.change(name, name, func(g *group) { g.KmsKeyId = nil })
}

// listTagsForResource returns a log group's tags. It requires the ARN without
// ":*" at its end. Source: CloudWatch Logs API Reference, LogGroup.
func listTagsForResource(c *request, in *cloudwatchlogs.ListTagsForResourceInput) (*cloudwatchlogs.ListTagsForResourceOutput, error) {
	name := c.groupAt(in.ResourceArn)
	g, ok := c.groups.now[name]
	switch {
	case name == *in.ResourceArn || strings.HasSuffix(name, ":*"):
		return nil, refuse(invalidLogs, "the ARN %q is not valid", name)
	case !ok:
		return nil, errNoGroup
	}
	return &cloudwatchlogs.ListTagsForResourceOutput{Tags: maps.Clone(g.tags)}, nil
}

// tagResource adds tags to a log group and replaces the values of those that it
// has. Source: CloudWatch Logs API Reference, TagResource.
func tagResource(c *request, in *cloudwatchlogs.TagResourceInput) error {
	name := c.groupAt(in.ResourceArn)
	if name == *in.ResourceArn || strings.HasSuffix(name, ":*") {
		return refuse(invalidLogs, "the ARN %q is not valid", name)
	}
	return c.change(name, name, func(g *group) {
		tags := map[string]string{}
		maps.Copy(tags, g.tags)
		maps.Copy(tags, in.Tags)
		g.tags = tags
	})
}

// untagResource removes tags from a log group. Source: CloudWatch Logs API
// Reference, UntagResource.
func untagResource(c *request, in *cloudwatchlogs.UntagResourceInput) error {
	name := c.groupAt(in.ResourceArn)
	return c.change(name, name, func(g *group) {
		g.tags = maps.Clone(g.tags)
		for _, key := range in.TagKeys {
			delete(g.tags, key)
		}
	})
}

// putTransformer sets a log group's transformer; only the Standard class
// supports one. Source: CloudWatch Logs API Reference, PutTransformer; the code
// of the refusal is assumed.
func putTransformer(c *request, in *cloudwatchlogs.PutTransformerInput) error {
	name := c.groupAt(in.LogGroupIdentifier)
	g, ok := c.groups.now[name]
	switch {
	case len(in.TransformerConfig) == 0 || len(in.TransformerConfig) > mostProcessors:
		return refuse(invalidLogs, "transformerConfig takes 1 to 20 processors")
	case ok && g.LogGroupClass != types.LogGroupClassStandard:
		return refuse("InvalidOperationException", "transformers are not supported in class %s", g.LogGroupClass)
	}
	return c.change(name, name, func(g *group) { g.transformer = in.TransformerConfig })
}

// getTransformer returns a log group's own transformer, or an error if there is
// none.
func getTransformer(c *request, in *cloudwatchlogs.GetTransformerInput) (*cloudwatchlogs.GetTransformerOutput, error) {
	g, ok := c.groups.now[c.groupAt(in.LogGroupIdentifier)]
	switch {
	case !ok:
		return nil, errNoGroup
	case len(g.transformer) == 0 && !c.doubts(noTransformerFails):
		return nil, refuse(noLogResource, "The log group has no transformer.")
	}
	return &cloudwatchlogs.GetTransformerOutput{LogGroupIdentifier: g.LogGroupArn, TransformerConfig: g.transformer}, nil
}

// deleteTransformer removes a log group's transformer.
func deleteTransformer(c *request, in *cloudwatchlogs.DeleteTransformerInput) error {
	name := c.groupAt(in.LogGroupIdentifier)
	return c.change(name, name, func(g *group) { g.transformer = nil })
}

// putDataProtectionPolicy masks what a policy matches. From then on the listing
// shows that, even after the policy is gone. Source: CloudWatch Logs API
// Reference, LogGroup, dataProtectionStatus.
func putDataProtectionPolicy(c *request, in *cloudwatchlogs.PutDataProtectionPolicyInput) (*cloudwatchlogs.PutDataProtectionPolicyOutput, error) {
	if !json.Valid([]byte(*in.PolicyDocument)) {
		return nil, refuse(invalidLogs, "policyDocument is not JSON")
	}
	name := c.groupAt(in.LogGroupIdentifier)
	err := c.change(name, name, func(g *group) {
		g.protection, g.DataProtectionStatus = *in.PolicyDocument, types.DataProtectionStatusActivated
	})
	return &cloudwatchlogs.PutDataProtectionPolicyOutput{LogGroupIdentifier: in.LogGroupIdentifier, PolicyDocument: in.PolicyDocument}, err
}

// deleteDataProtectionPolicy stops masking.
func deleteDataProtectionPolicy(c *request, in *cloudwatchlogs.DeleteDataProtectionPolicyInput) error {
	name := c.groupAt(in.LogGroupIdentifier)
	return c.change(name, name, func(g *group) {
		g.protection, g.DataProtectionStatus = "", types.DataProtectionStatusDeleted
	})
}

// putAccountPolicy makes or changes a policy for the region's log groups. A
// masking policy shows on every group. A retention policy overrides the
// retention of the groups that it selects, though on AWS not at once. Source:
// CloudWatch Logs API Reference, PutAccountPolicy.
func putAccountPolicy(c *request, in *cloudwatchlogs.PutAccountPolicyInput) (*cloudwatchlogs.PutAccountPolicyOutput, error) {
	name := *in.PolicyName
	switch {
	case name == "" || strings.HasPrefix(name, "aws/"):
		return nil, refuse(invalidLogs, "the name %q is not valid", name)
	case !slices.Contains(in.PolicyType.Values(), in.PolicyType):
		return nil, refuse(invalidLogs, "the type %q is not valid", in.PolicyType)
	case !json.Valid([]byte(*in.PolicyDocument)):
		return nil, refuse(invalidLogs, "policyDocument is not JSON")
	case in.SelectionCriteria != nil && in.PolicyType == types.PolicyTypeDataProtectionPolicy:
		return nil, refuse(invalidLogs, "selectionCriteria is not for %s", in.PolicyType)
	}
	for _, p := range c.accountPolicies.now {
		if in.PolicyType == types.PolicyTypeDataProtectionPolicy && p.PolicyType == in.PolicyType && *p.PolicyName != name {
			return nil, refuse("LimitExceededException", "The account has a data protection policy.")
		}
	}
	policy := types.AccountPolicy{
		AccountId: aws.String(c.ID), PolicyName: in.PolicyName, PolicyType: in.PolicyType, PolicyDocument: in.PolicyDocument,
		Scope: types.ScopeAll, SelectionCriteria: in.SelectionCriteria,
	}
	c.accountPolicies.write(c.lag)[string(in.PolicyType)+" "+name] = policy
	c.wrote(name)
	return &cloudwatchlogs.PutAccountPolicyOutput{AccountPolicy: &policy}, nil
}

func accountPolicyState(p types.AccountPolicy) any {
	return map[string]any{"document": p.PolicyDocument, "selection": p.SelectionCriteria}
}

// describeAccountPolicies lists the policies of one type.
func describeAccountPolicies(c *request, in *cloudwatchlogs.DescribeAccountPoliciesInput) (*cloudwatchlogs.DescribeAccountPoliciesOutput, error) {
	found := map[string]types.AccountPolicy{}
	for key, p := range c.accountPolicies.read(in.NextToken == nil) {
		if p.PolicyType == in.PolicyType && (in.PolicyName == nil || *in.PolicyName == *p.PolicyName) {
			if p.SelectionCriteria != nil && c.doubts(criteriaQuoted) {
				p.SelectionCriteria = aws.String(strings.NewReplacer(`"`, "'", "[", "(", "]", ")").Replace(*p.SelectionCriteria))
			}
			found[key] = p
		}
	}
	list, token, err := paged(c, logsPage(in.NextToken, nil), found)
	return &cloudwatchlogs.DescribeAccountPoliciesOutput{AccountPolicies: list, NextToken: token}, err
}

// deleteAccountPolicy deletes an account-wide policy.
func deleteAccountPolicy(c *request, in *cloudwatchlogs.DeleteAccountPolicyInput) error {
	key := string(in.PolicyType) + " " + *in.PolicyName
	if _, ok := c.accountPolicies.now[key]; !ok {
		return refuse(noLogResource, "The account policy does not exist.")
	}
	delete(c.accountPolicies.write(c.lag), key)
	c.wrote(*in.PolicyName)
	return nil
}

// shown returns a log group as a listing shows it: the account's policies
// change what is shown, not the group itself.
func (c *request) shown(g group) types.LogGroup {
	shown := g.LogGroup
	for _, p := range c.accountPolicies.now {
		switch {
		case p.PolicyType != types.PolicyTypeDataProtectionPolicy && p.PolicyType != types.PolicyTypeRetentionPolicy || c.doubts(policiesShow):
		case p.PolicyType == types.PolicyTypeDataProtectionPolicy:
			shown.InheritedProperties = []types.InheritedProperty{types.InheritedPropertyAccountDataProtection}
		default:
			var document struct{ RetentionInDays *int32 }
			if json.Unmarshal([]byte(*p.PolicyDocument), &document) == nil {
				shown.RetentionInDays, shown.RetentionPolicyName = document.RetentionInDays, p.PolicyName
			}
		}
	}
	return shown
}

// putRetentionPolicy sets a log group's retention; it accepts only certain
// numbers of days.
func putRetentionPolicy(c *request, in *cloudwatchlogs.PutRetentionPolicyInput) error {
	if !slices.Contains(retentions, *in.RetentionInDays) {
		return refuse(invalidLogs, "retention of %d days is not valid", *in.RetentionInDays)
	}
	name := *in.LogGroupName
	return c.change(name, name, func(g *group) { g.RetentionInDays = in.RetentionInDays })
}

// deleteRetentionPolicy makes a log group keep its events for ever.
func deleteRetentionPolicy(c *request, in *cloudwatchlogs.DeleteRetentionPolicyInput) error {
	name := *in.LogGroupName
	return c.change(name, name, func(g *group) { g.RetentionInDays = nil })
}

// describeLogGroups lists log groups by name, 50 a page.
func describeLogGroups(c *request, in *cloudwatchlogs.DescribeLogGroupsInput) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
	if in.LogGroupNamePrefix != nil && (in.LogGroupNamePattern != nil || *in.LogGroupNamePrefix == "") {
		return nil, refuse(invalidLogs, "logGroupNamePrefix is empty or beside logGroupNamePattern")
	}
	found := map[string]types.LogGroup{}
	for name, g := range c.groups.read(in.NextToken == nil) {
		if strings.HasPrefix(name, aws.ToString(in.LogGroupNamePrefix)) && strings.Contains(name, aws.ToString(in.LogGroupNamePattern)) &&
			(in.LogGroupClass == "" || in.LogGroupClass == g.LogGroupClass) {
			found[name] = c.shown(g)
		}
	}
	if len(found) == 0 && in.LogGroupNamePrefix != nil && c.doubts(emptyGroupListing) {
		return nil, errNoGroup
	}
	list, token, err := paged(c, logsPage(in.NextToken, in.Limit), found)
	return &cloudwatchlogs.DescribeLogGroupsOutput{LogGroups: list, NextToken: token}, err
}

func logsPage(token *string, ask *int32) page {
	return page{token: token, ask: ask, least: 1, most: mostLogs, usual: mostLogs, limit: invalidLogs, bad: invalidLogs}
}

// putMetricFilter creates a filter or replaces it as a whole.
func putMetricFilter(c *request, in *cloudwatchlogs.PutMetricFilterInput) error {
	name := *in.FilterName
	g, ok := c.groups.now[*in.LogGroupName]
	_, replaces := g.filters[name]
	switch why := badFilter(in); {
	case why != "":
		return refuse(invalidLogs, "%s", why)
	case !ok:
		return errNoGroup
	case g.LogGroupClass != types.LogGroupClassStandard: // CloudWatch Logs User Guide, "Log classes"; the code is assumed
		return refuse("InvalidOperationException", "metric filters are not supported in class %s", g.LogGroupClass)
	case in.ApplyOnTransformedLogs && len(g.transformer) == 0: // CloudWatch Logs API Reference, PutMetricFilter
		return refuse(invalidLogs, "the log group has no transformer")
	case !replaces && len(g.filters) >= FiltersPerGroup:
		return refuse("LimitExceededException", "Resource limit exceeded.")
	}
	return c.change(*in.LogGroupName, name, func(g *group) {
		g.filters[name] = types.MetricFilter{
			FilterName: in.FilterName, FilterPattern: in.FilterPattern, LogGroupName: in.LogGroupName,
			MetricTransformations: in.MetricTransformations, ApplyOnTransformedLogs: in.ApplyOnTransformedLogs,
			EmitSystemFieldDimensions: in.EmitSystemFieldDimensions, FieldSelectionCriteria: in.FieldSelectionCriteria,
		}
	})
}

// badFilter returns what is wrong with a filter, or "". Sources: CloudWatch
// Logs API Reference, PutMetricFilter and MetricTransformation; CloudWatch
// Logs User Guide, "Creating metrics from log events using filters" (a
// default value and dimensions exclude each other).
func badFilter(in *cloudwatchlogs.PutMetricFilterInput) string {
	if !filterName.MatchString(aws.ToString(in.FilterName)) {
		return "filterName is not valid"
	}
	if len([]rune(*in.FilterPattern)) > patternLimit {
		return "filterPattern is too long"
	}
	if len(in.MetricTransformations) != 1 {
		return "metricTransformations has to have one member"
	}
	if len([]rune(aws.ToString(in.FieldSelectionCriteria))) > criteriaLimit {
		return "fieldSelectionCriteria is too long"
	}
	for _, d := range in.EmitSystemFieldDimensions {
		if d != "@aws.account" && d != "@aws.region" {
			return "emitSystemFieldDimensions takes @aws.account and @aws.region"
		}
	}
	m := in.MetricTransformations[0]
	dimensions := len(m.Dimensions) + len(in.EmitSystemFieldDimensions)
	value := aws.ToString(m.MetricValue)
	_, notNumber := strconv.ParseFloat(value, 64)
	switch {
	case aws.ToString(m.MetricName) == "" || aws.ToString(m.MetricNamespace) == "":
		return "metricName or metricNamespace is missing"
	case strings.HasPrefix(*m.MetricNamespace, "AWS/"):
		return "namespaces that begin with AWS/ are reserved"
	case notNumber != nil && !strings.HasPrefix(value, "$"):
		return "metricValue is neither a number nor a field"
	case dimensions > filterDimensions:
		return "too many dimensions"
	case dimensions > 0 && m.DefaultValue != nil:
		return "dimensions and defaultValue are mutually exclusive"
	}
	return ""
}

// deleteMetricFilter deletes a filter.
func deleteMetricFilter(c *request, in *cloudwatchlogs.DeleteMetricFilterInput) error {
	name := *in.FilterName
	if g, ok := c.groups.now[*in.LogGroupName]; ok && g.filters[name].FilterName == nil {
		return refuse(noLogResource, "The specified metric filter does not exist.")
	}
	return c.change(*in.LogGroupName, name, func(g *group) { delete(g.filters, name) })
}

// describeMetricFilters lists filters by name, 50 a page. A prefix is used only
// together with a log group; a metric needs its namespace.
func describeMetricFilters(c *request, in *cloudwatchlogs.DescribeMetricFiltersInput) (*cloudwatchlogs.DescribeMetricFiltersOutput, error) {
	if (in.MetricName == nil) != (in.MetricNamespace == nil) {
		return nil, refuse(invalidLogs, "metricName and metricNamespace need each other")
	}
	groups := c.groups.read(in.NextToken == nil)
	if _, ok := groups[aws.ToString(in.LogGroupName)]; in.LogGroupName != nil && !ok {
		return nil, errNoGroup
	}
	found := map[string]types.MetricFilter{}
	for name, g := range groups {
		if in.LogGroupName != nil && *in.LogGroupName != name {
			continue
		}
		for key, f := range g.filters {
			m := f.MetricTransformations[0]
			if in.LogGroupName != nil && !strings.HasPrefix(key, aws.ToString(in.FilterNamePrefix)) ||
				in.MetricName != nil && (*in.MetricName != aws.ToString(m.MetricName) || *in.MetricNamespace != aws.ToString(m.MetricNamespace)) {
				continue
			}
			found[name+" "+key] = f
		}
	}
	list, token, err := paged(c, logsPage(in.NextToken, in.Limit), found)
	return &cloudwatchlogs.DescribeMetricFiltersOutput{MetricFilters: list, NextToken: token}, err
}

// logGroupOperations are the operations that this file answers.
var logGroupOperations = []operation{
	act[cloudwatchlogs.CreateLogGroupOutput](createLogGroup),
	act[cloudwatchlogs.DeleteLogGroupOutput](deleteLogGroup),
	act[cloudwatchlogs.PutLogGroupDeletionProtectionOutput](putLogGroupDeletionProtection),
	act[cloudwatchlogs.AssociateKmsKeyOutput](associateKmsKey),
	act[cloudwatchlogs.DisassociateKmsKeyOutput](disassociateKmsKey),
	handle(listTagsForResource),
	act[cloudwatchlogs.TagResourceOutput](tagResource),
	act[cloudwatchlogs.UntagResourceOutput](untagResource),
	act[cloudwatchlogs.PutTransformerOutput](putTransformer),
	handle(getTransformer),
	act[cloudwatchlogs.DeleteTransformerOutput](deleteTransformer),
	handle(putDataProtectionPolicy),
	act[cloudwatchlogs.DeleteDataProtectionPolicyOutput](deleteDataProtectionPolicy),
	handle(putAccountPolicy),
	handle(describeAccountPolicies),
	act[cloudwatchlogs.DeleteAccountPolicyOutput](deleteAccountPolicy),
	act[cloudwatchlogs.PutRetentionPolicyOutput](putRetentionPolicy),
	act[cloudwatchlogs.DeleteRetentionPolicyOutput](deleteRetentionPolicy),
	handle(describeLogGroups),
	act[cloudwatchlogs.PutMetricFilterOutput](putMetricFilter),
	act[cloudwatchlogs.DeleteMetricFilterOutput](deleteMetricFilter),
	handle(describeMetricFilters),
	handle(testMetricFilter),
}
