package awstest

import (
	"cmp"
	"context"
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
	mostProcessors   = 20 // of a transformer
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

// A group is a log group with its metric filters. It is replaced, never
// changed, so that stale reads keep what they saw.
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

// CreateLogGroup creates a log group. Its class never changes.
func (a *Account) CreateLogGroup(ctx context.Context, in *cloudwatchlogs.CreateLogGroupInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.CreateLogGroupOutput, error) {
	const op = "CreateLogGroup"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.LogGroupName)
	class := in.LogGroupClass
	if class == "" {
		class = types.LogGroupClassStandard
	}
	reserved := slices.ContainsFunc(slices.Collect(maps.Keys(in.Tags)), func(k string) bool { return strings.HasPrefix(k, "aws:") })
	switch _, exists := r.groups.now[name]; {
	case !groupName.MatchString(name):
		return nil, refuse(op, invalidLogs, "the name %q is not valid", name)
	case !slices.Contains(class.Values(), class):
		return nil, refuse(op, invalidLogs, "the class %q is not valid", class)
	case in.KmsKeyId != nil && a.keys[*in.KmsKeyId] != kmstypes.KeyStateEnabled: // CloudWatch Logs API Reference, CreateLogGroup
		return nil, refuse(op, invalidLogs, "the key %s does not exist or is disabled", *in.KmsKeyId)
	case reserved:
		return nil, refuse(op, invalidLogs, "tag keys starting with 'aws:' are reserved")
	case exists:
		return nil, refuse(op, "ResourceAlreadyExistsException", "The specified log group already exists")
	}
	arn := "arn:aws:logs:" + r.name + ":" + a.ID + ":log-group:" + name
	r.groups.write(a.lag)[name] = group{
		LogGroup: types.LogGroup{
			LogGroupName: aws.String(name), LogGroupClass: class, KmsKeyId: in.KmsKeyId,
			Arn: aws.String(arn + ":*"), LogGroupArn: aws.String(arn), DeletionProtectionEnabled: in.DeletionProtectionEnabled,
			MetricFilterCount: aws.Int32(0),
		},
		tags: maps.Clone(in.Tags), filters: map[string]types.MetricFilter{},
	}
	a.wrote(op, r, name)
	return &cloudwatchlogs.CreateLogGroupOutput{}, nil
}

// change replaces a log group, and logs the write as one of target.
func (a *Account) change(op string, r *region, name, target string, f func(*group)) error {
	g, ok := r.groups.now[name]
	if !ok {
		return noGroup(op)
	}
	r.groups.write(a.lag)[name] = g.with(f)
	a.wrote(op, r, target)
	return nil
}

func noGroup(op string) error {
	return refuse(op, noLogResource, "The specified log group does not exist.")
}

// DeleteLogGroup deletes a log group with all its filters, unless it is
// protected. Source: CloudWatch Logs API Reference, DeleteLogGroup.
func (a *Account) DeleteLogGroup(ctx context.Context, in *cloudwatchlogs.DeleteLogGroupInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.DeleteLogGroupOutput, error) {
	const op = "DeleteLogGroup"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.LogGroupName)
	g, ok := r.groups.now[name]
	switch {
	case !ok:
		return nil, noGroup(op)
	case aws.ToBool(g.DeletionProtectionEnabled):
		return nil, refuse(op, "ValidationException", "deletion protection is enabled for the log group")
	}
	delete(r.groups.write(a.lag), name)
	a.wrote(op, r, name)
	return &cloudwatchlogs.DeleteLogGroupOutput{}, nil
}

// PutLogGroupDeletionProtection guards a log group against DeleteLogGroup.
func (a *Account) PutLogGroupDeletionProtection(ctx context.Context, in *cloudwatchlogs.PutLogGroupDeletionProtectionInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.PutLogGroupDeletionProtectionOutput, error) {
	const op = "PutLogGroupDeletionProtection"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	if in.DeletionProtectionEnabled == nil {
		return nil, refuse(op, invalidLogs, "deletionProtectionEnabled is missing")
	}
	name := a.groupAt(r, in.LogGroupIdentifier)
	err = a.change(op, r, name, name, func(g *group) { g.DeletionProtectionEnabled = in.DeletionProtectionEnabled })
	return &cloudwatchlogs.PutLogGroupDeletionProtectionOutput{}, err
}

// groupAt returns the name of the log group that a call names by name or by
// ARN, which is of this region and account.
func (a *Account) groupAt(r *region, identifier *string) string {
	return strings.TrimPrefix(aws.ToString(identifier), "arn:aws:logs:"+r.name+":"+a.ID+":log-group:")
}

// AssociateKmsKey has a log group's new records encrypted with a key. Source:
// CloudWatch Logs API Reference, AssociateKmsKey: by name or by ARN, never
// both, and the key has to exist.
func (a *Account) AssociateKmsKey(ctx context.Context, in *cloudwatchlogs.AssociateKmsKeyInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.AssociateKmsKeyOutput, error) {
	const op = "AssociateKmsKey"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	switch {
	case (in.LogGroupName == nil) == (in.ResourceIdentifier == nil):
		return nil, refuse(op, invalidLogs, "give one of logGroupName and resourceIdentifier")
	case a.keys[aws.ToString(in.KmsKeyId)] != kmstypes.KeyStateEnabled:
		return nil, refuse(op, invalidLogs, "the key %s does not exist or is disabled", aws.ToString(in.KmsKeyId))
	}
	name := a.groupAt(r, cmp.Or(in.LogGroupName, in.ResourceIdentifier))
	return &cloudwatchlogs.AssociateKmsKeyOutput{}, a.change(op, r, name, name, func(g *group) { g.KmsKeyId = in.KmsKeyId })
}

// DisassociateKmsKey has a log group's new records encrypted with CloudWatch
// Logs' own key.
func (a *Account) DisassociateKmsKey(ctx context.Context, in *cloudwatchlogs.DisassociateKmsKeyInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.DisassociateKmsKeyOutput, error) {
	const op = "DisassociateKmsKey"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	if (in.LogGroupName == nil) == (in.ResourceIdentifier == nil) {
		return nil, refuse(op, invalidLogs, "give one of logGroupName and resourceIdentifier")
	}
	name := a.groupAt(r, cmp.Or(in.LogGroupName, in.ResourceIdentifier))
	return &cloudwatchlogs.DisassociateKmsKeyOutput{}, a.change(op, r, name, name, func(g *group) { g.KmsKeyId = nil })
}

// ListTagsForResource returns a log group's tags. It takes the ARN without
// ":*" behind it. Source: CloudWatch Logs API Reference, LogGroup.
func (a *Account) ListTagsForResource(ctx context.Context, in *cloudwatchlogs.ListTagsForResourceInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.ListTagsForResourceOutput, error) {
	const op = "ListTagsForResource"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	name := a.groupAt(r, in.ResourceArn)
	g, ok := r.groups.now[name]
	switch {
	case name == aws.ToString(in.ResourceArn) || strings.HasSuffix(name, ":*"):
		return nil, refuse(op, invalidLogs, "the ARN %q is not valid", name)
	case !ok:
		return nil, noGroup(op)
	}
	return &cloudwatchlogs.ListTagsForResourceOutput{Tags: maps.Clone(g.tags)}, nil
}

// PutTransformer gives a log group a transformer; only the Standard class
// takes one. Source: CloudWatch Logs API Reference, PutTransformer; the code
// of the refusal is unverified.
func (a *Account) PutTransformer(ctx context.Context, in *cloudwatchlogs.PutTransformerInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.PutTransformerOutput, error) {
	const op = "PutTransformer"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	name := a.groupAt(r, in.LogGroupIdentifier)
	g, ok := r.groups.now[name]
	switch {
	case len(in.TransformerConfig) == 0 || len(in.TransformerConfig) > mostProcessors:
		return nil, refuse(op, invalidLogs, "transformerConfig takes 1 to 20 processors")
	case ok && g.LogGroupClass != types.LogGroupClassStandard:
		return nil, refuse(op, "InvalidOperationException", "transformers are not supported in class %s", g.LogGroupClass)
	}
	return &cloudwatchlogs.PutTransformerOutput{}, a.change(op, r, name, name, func(g *group) { g.transformer = in.TransformerConfig })
}

// GetTransformer returns a log group's own transformer. That it answers with
// an error where there is none is unverified; Terraform's provider expects an
// empty answer, and its user has to bear both.
func (a *Account) GetTransformer(ctx context.Context, in *cloudwatchlogs.GetTransformerInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetTransformerOutput, error) {
	const op = "GetTransformer"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	g, ok := r.groups.now[a.groupAt(r, in.LogGroupIdentifier)]
	switch {
	case !ok:
		return nil, noGroup(op)
	case len(g.transformer) == 0:
		return nil, refuse(op, noLogResource, "The log group has no transformer.")
	}
	return &cloudwatchlogs.GetTransformerOutput{LogGroupIdentifier: g.LogGroupArn, TransformerConfig: g.transformer}, nil
}

// DeleteTransformer takes a log group's transformer off.
func (a *Account) DeleteTransformer(ctx context.Context, in *cloudwatchlogs.DeleteTransformerInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.DeleteTransformerOutput, error) {
	const op = "DeleteTransformer"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	name := a.groupAt(r, in.LogGroupIdentifier)
	return &cloudwatchlogs.DeleteTransformerOutput{}, a.change(op, r, name, name, func(g *group) { g.transformer = nil })
}

// PutDataProtectionPolicy masks what a policy matches. The listing says so
// from then on, and after it is gone too. Source: CloudWatch Logs API
// Reference, LogGroup, dataProtectionStatus.
func (a *Account) PutDataProtectionPolicy(ctx context.Context, in *cloudwatchlogs.PutDataProtectionPolicyInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.PutDataProtectionPolicyOutput, error) {
	const op = "PutDataProtectionPolicy"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	if !json.Valid([]byte(aws.ToString(in.PolicyDocument))) {
		return nil, refuse(op, invalidLogs, "policyDocument is not JSON")
	}
	name := a.groupAt(r, in.LogGroupIdentifier)
	err = a.change(op, r, name, name, func(g *group) {
		g.protection, g.DataProtectionStatus = *in.PolicyDocument, types.DataProtectionStatusActivated
	})
	return &cloudwatchlogs.PutDataProtectionPolicyOutput{LogGroupIdentifier: in.LogGroupIdentifier, PolicyDocument: in.PolicyDocument}, err
}

// DeleteDataProtectionPolicy stops masking.
func (a *Account) DeleteDataProtectionPolicy(ctx context.Context, in *cloudwatchlogs.DeleteDataProtectionPolicyInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.DeleteDataProtectionPolicyOutput, error) {
	const op = "DeleteDataProtectionPolicy"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	name := a.groupAt(r, in.LogGroupIdentifier)
	err = a.change(op, r, name, name, func(g *group) {
		g.protection, g.DataProtectionStatus = "", types.DataProtectionStatusDeleted
	})
	return &cloudwatchlogs.DeleteDataProtectionPolicyOutput{}, err
}

// PutAccountPolicy makes or changes a policy for the region's log groups. One
// that masks shows on every group; one for retention overrides what the
// groups it selects say, though not at once on AWS. Source: CloudWatch Logs
// API Reference, PutAccountPolicy.
func (a *Account) PutAccountPolicy(ctx context.Context, in *cloudwatchlogs.PutAccountPolicyInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.PutAccountPolicyOutput, error) {
	const op = "PutAccountPolicy"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.PolicyName)
	switch {
	case name == "" || strings.HasPrefix(name, "aws/"):
		return nil, refuse(op, invalidLogs, "the name %q is not valid", name)
	case !slices.Contains(in.PolicyType.Values(), in.PolicyType):
		return nil, refuse(op, invalidLogs, "the type %q is not valid", in.PolicyType)
	case !json.Valid([]byte(aws.ToString(in.PolicyDocument))):
		return nil, refuse(op, invalidLogs, "policyDocument is not JSON")
	case in.SelectionCriteria != nil && in.PolicyType == types.PolicyTypeDataProtectionPolicy:
		return nil, refuse(op, invalidLogs, "selectionCriteria is not for %s", in.PolicyType)
	}
	for _, p := range r.policies.now {
		if in.PolicyType == types.PolicyTypeDataProtectionPolicy && p.PolicyType == in.PolicyType && *p.PolicyName != name {
			return nil, refuse(op, "LimitExceededException", "The account has a data protection policy.")
		}
	}
	policy := types.AccountPolicy{
		AccountId: aws.String(a.ID), PolicyName: in.PolicyName, PolicyType: in.PolicyType, PolicyDocument: in.PolicyDocument,
		Scope: types.ScopeAll, SelectionCriteria: in.SelectionCriteria,
	}
	r.policies.write(a.lag)[string(in.PolicyType)+" "+name] = policy
	a.wrote(op, r, name)
	return &cloudwatchlogs.PutAccountPolicyOutput{AccountPolicy: &policy}, nil
}

func accountPolicyState(p types.AccountPolicy) any {
	return map[string]any{"document": p.PolicyDocument, "selection": p.SelectionCriteria}
}

// DescribeAccountPolicies lists the policies of one type.
func (a *Account) DescribeAccountPolicies(ctx context.Context, in *cloudwatchlogs.DescribeAccountPoliciesInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.DescribeAccountPoliciesOutput, error) {
	const op = "DescribeAccountPolicies"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	if in.PolicyType == "" {
		return nil, refuse(op, invalidLogs, "policyType is missing")
	}
	found := map[string]types.AccountPolicy{}
	for key, p := range r.policies.read(in.NextToken == nil) {
		if p.PolicyType == in.PolicyType && (in.PolicyName == nil || *in.PolicyName == *p.PolicyName) {
			found[key] = p
		}
	}
	list, token, err := paged(a, logsPage(op, in.NextToken, nil), found)
	return &cloudwatchlogs.DescribeAccountPoliciesOutput{AccountPolicies: list, NextToken: token}, err
}

// DeleteAccountPolicy takes an account-wide policy off.
func (a *Account) DeleteAccountPolicy(ctx context.Context, in *cloudwatchlogs.DeleteAccountPolicyInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.DeleteAccountPolicyOutput, error) {
	const op = "DeleteAccountPolicy"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	key := string(in.PolicyType) + " " + aws.ToString(in.PolicyName)
	if _, ok := r.policies.now[key]; !ok {
		return nil, refuse(op, noLogResource, "The account policy does not exist.")
	}
	delete(r.policies.write(a.lag), key)
	a.wrote(op, r, *in.PolicyName)
	return &cloudwatchlogs.DeleteAccountPolicyOutput{}, nil
}

// shown returns a log group as a listing has it: what the account's policies
// make of it is not the group's own.
func (r *region) shown(g group) types.LogGroup {
	shown := g.LogGroup
	for _, p := range r.policies.now {
		switch p.PolicyType {
		case types.PolicyTypeDataProtectionPolicy:
			shown.InheritedProperties = []types.InheritedProperty{types.InheritedPropertyAccountDataProtection}
		case types.PolicyTypeRetentionPolicy:
			var document struct{ RetentionInDays *int32 }
			if json.Unmarshal([]byte(*p.PolicyDocument), &document) == nil {
				shown.RetentionInDays, shown.RetentionPolicyName = document.RetentionInDays, p.PolicyName
			}
		}
	}
	return shown
}

// PutRetentionPolicy takes only certain numbers of days.
func (a *Account) PutRetentionPolicy(ctx context.Context, in *cloudwatchlogs.PutRetentionPolicyInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.PutRetentionPolicyOutput, error) {
	const op = "PutRetentionPolicy"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(retentions, aws.ToInt32(in.RetentionInDays)) {
		return nil, refuse(op, invalidLogs, "retention of %d days is not valid", aws.ToInt32(in.RetentionInDays))
	}
	name := aws.ToString(in.LogGroupName)
	err = a.change(op, r, name, name, func(g *group) { g.RetentionInDays = in.RetentionInDays })
	return &cloudwatchlogs.PutRetentionPolicyOutput{}, err
}

// DeleteRetentionPolicy makes a log group keep its events for ever.
func (a *Account) DeleteRetentionPolicy(ctx context.Context, in *cloudwatchlogs.DeleteRetentionPolicyInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.DeleteRetentionPolicyOutput, error) {
	const op = "DeleteRetentionPolicy"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.LogGroupName)
	return &cloudwatchlogs.DeleteRetentionPolicyOutput{}, a.change(op, r, name, name, func(g *group) { g.RetentionInDays = nil })
}

// DescribeLogGroups lists log groups by name, 50 a page.
func (a *Account) DescribeLogGroups(ctx context.Context, in *cloudwatchlogs.DescribeLogGroupsInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
	const op = "DescribeLogGroups"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	if in.LogGroupNamePrefix != nil && (in.LogGroupNamePattern != nil || *in.LogGroupNamePrefix == "") {
		return nil, refuse(op, invalidLogs, "logGroupNamePrefix is empty or beside logGroupNamePattern")
	}
	found := map[string]types.LogGroup{}
	for name, g := range r.groups.read(in.NextToken == nil) {
		if strings.HasPrefix(name, aws.ToString(in.LogGroupNamePrefix)) && strings.Contains(name, aws.ToString(in.LogGroupNamePattern)) &&
			(in.LogGroupClass == "" || in.LogGroupClass == g.LogGroupClass) {
			found[name] = r.shown(g)
		}
	}
	list, token, err := paged(a, logsPage(op, in.NextToken, in.Limit), found)
	return &cloudwatchlogs.DescribeLogGroupsOutput{LogGroups: list, NextToken: token}, err
}

func logsPage(op string, token *string, ask *int32) page {
	return page{op: op, token: token, ask: ask, least: 1, most: mostLogs, usual: mostLogs, limit: invalidLogs, bad: invalidLogs}
}

// PutMetricFilter creates a filter or replaces it as a whole.
func (a *Account) PutMetricFilter(ctx context.Context, in *cloudwatchlogs.PutMetricFilterInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.PutMetricFilterOutput, error) {
	const op = "PutMetricFilter"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.FilterName)
	g, ok := r.groups.now[aws.ToString(in.LogGroupName)]
	_, replaces := g.filters[name]
	switch why := badFilter(in); {
	case why != "":
		return nil, refuse(op, invalidLogs, "%s", why)
	case !ok:
		return nil, noGroup(op)
	case g.LogGroupClass != types.LogGroupClassStandard: // CloudWatch Logs User Guide, "Log classes"; the code is unverified
		return nil, refuse(op, "InvalidOperationException", "metric filters are not supported in class %s", g.LogGroupClass)
	case in.ApplyOnTransformedLogs && len(g.transformer) == 0: // CloudWatch Logs API Reference, PutMetricFilter
		return nil, refuse(op, invalidLogs, "the log group has no transformer")
	case !replaces && len(g.filters) >= FiltersPerGroup:
		return nil, refuse(op, "LimitExceededException", "Resource limit exceeded.")
	}
	err = a.change(op, r, *in.LogGroupName, name, func(g *group) {
		g.filters[name] = types.MetricFilter{
			FilterName: in.FilterName, FilterPattern: in.FilterPattern, LogGroupName: in.LogGroupName,
			MetricTransformations: in.MetricTransformations, ApplyOnTransformedLogs: in.ApplyOnTransformedLogs,
			EmitSystemFieldDimensions: in.EmitSystemFieldDimensions, FieldSelectionCriteria: in.FieldSelectionCriteria,
		}
	})
	return &cloudwatchlogs.PutMetricFilterOutput{}, err
}

// badFilter returns what is wrong with a filter, or "". Sources: CloudWatch
// Logs API Reference, PutMetricFilter and MetricTransformation; CloudWatch
// Logs User Guide, "Creating metrics from log events using filters" (a
// default value and dimensions exclude each other).
func badFilter(in *cloudwatchlogs.PutMetricFilterInput) string {
	if !filterName.MatchString(aws.ToString(in.FilterName)) {
		return "filterName is not valid"
	}
	if in.FilterPattern == nil || len([]rune(*in.FilterPattern)) > patternLimit {
		return "filterPattern is missing or too long"
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

// DeleteMetricFilter deletes a filter.
func (a *Account) DeleteMetricFilter(ctx context.Context, in *cloudwatchlogs.DeleteMetricFilterInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.DeleteMetricFilterOutput, error) {
	const op = "DeleteMetricFilter"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.FilterName)
	if g, ok := r.groups.now[aws.ToString(in.LogGroupName)]; ok && g.filters[name].FilterName == nil {
		return nil, refuse(op, noLogResource, "The specified metric filter does not exist.")
	}
	err = a.change(op, r, aws.ToString(in.LogGroupName), name, func(g *group) { delete(g.filters, name) })
	return &cloudwatchlogs.DeleteMetricFilterOutput{}, err
}

// DescribeMetricFilters lists filters by name, 50 a page. A prefix counts
// only beside a log group; a metric needs its namespace.
func (a *Account) DescribeMetricFilters(ctx context.Context, in *cloudwatchlogs.DescribeMetricFiltersInput, opts ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.DescribeMetricFiltersOutput, error) {
	const op = "DescribeMetricFilters"
	r, end, err := a.begin(ctx, op, logsRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	if (in.MetricName == nil) != (in.MetricNamespace == nil) {
		return nil, refuse(op, invalidLogs, "metricName and metricNamespace need each other")
	}
	groups := r.groups.read(in.NextToken == nil)
	if _, ok := groups[aws.ToString(in.LogGroupName)]; in.LogGroupName != nil && !ok {
		return nil, noGroup(op)
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
	list, token, err := paged(a, logsPage(op, in.NextToken, in.Limit), found)
	return &cloudwatchlogs.DescribeMetricFiltersOutput{MetricFilters: list, NextToken: token}, err
}

func logsRegion(opts []func(*cloudwatchlogs.Options)) string {
	var o cloudwatchlogs.Options
	for _, f := range opts {
		f(&o)
	}
	return o.Region
}
