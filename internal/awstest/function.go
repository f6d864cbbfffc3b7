package awstest

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// A function has a policy for itself, and one for each of its versions and
// aliases. Source: recorded 2025-11-25 (localstack/localstack).
type function struct {
	qualifiers []string // versions and aliases
	reserved   *int32
	policies   map[string]string // by qualifier, "" for the function itself; JSON
	config     types.FunctionConfiguration
}

// state leaves out what Lambda makes up.
func (f *function) state() map[string]any {
	c := f.config
	c.RevisionId, c.LastModified, c.LastUpdateStatus = nil, nil, ""
	return map[string]any{"policies": f.policies, "reserved": f.reserved, "config": c}
}

// AddFunction makes a function with versions or aliases. Nobody may invoke it
// until a permission is added. It returns the function's ARN.
func (a *Account) AddFunction(regionName, name string, qualifiers ...string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	arn := a.arn("lambda", regionName, "function:"+name)
	a.regions[regionName].functions[name] = &function{qualifiers: qualifiers, policies: map[string]string{}, config: types.FunctionConfiguration{
		FunctionName: aws.String(name), FunctionArn: aws.String(arn), Version: aws.String(latest), Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: aws.String("arn:aws:iam::" + a.ID + ":role/" + name), CodeSha256: aws.String(codeSum([]byte(name))), CodeSize: int64(len(name)), Timeout: aws.Int32(60), MemorySize: aws.Int32(256),
		PackageType: types.PackageTypeZip, Architectures: []types.Architecture{types.ArchitectureArm64}, EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(512)},
		TracingConfig: &types.TracingConfigResponse{Mode: types.TracingModePassThrough}, SnapStart: &types.SnapStartResponse{ApplyOn: types.SnapStartApplyOnNone, OptimizationStatus: types.SnapStartOptimizationStatusOff},
		LoggingConfig: &types.LoggingConfig{LogFormat: types.LogFormatText, LogGroup: aws.String("/aws/lambda/" + name)},
		Environment:   &types.EnvironmentResponse{Variables: map[string]string{"NAME": name}}, State: types.StateActive, LastUpdateStatus: types.LastUpdateStatusSuccessful,
		RuntimeVersionConfig: &types.RuntimeVersionConfig{RuntimeVersionArn: aws.String("arn:aws:lambda:" + regionName + "::runtime:0a1b")},
		RevisionId:           aws.String(a.newID("revision")), LastModified: aws.String(a.now().UTC().Format(functionTime)),
	}}
	return arn
}

// functionTime is how Lambda writes times. Source: AWS Lambda API Reference,
// GetFunction, its example.
const functionTime = "2006-01-02T15:04:05.000-0700"

// codeSum returns what Lambda shows of a deployment package. Source: AWS Lambda API
// Reference, FunctionConfiguration, CodeSha256.
func codeSum(zip []byte) string {
	sum := sha256.Sum256(zip)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// getFunction describes a function. Its answer says nothing of concurrency if none is
// reserved. Source: AWS Lambda API Reference, GetFunction.
func getFunction(c *request, in *lambda.GetFunctionInput) (*lambda.GetFunctionOutput, error) {
	fn, arn, _, err := c.function(in.FunctionName, in.Qualifier)
	if err == nil && fn == nil {
		err = refuse("ResourceNotFoundException", "Function not found: %s", arn)
	}
	if err != nil {
		return nil, err
	}
	config := fn.config
	out := &lambda.GetFunctionOutput{Configuration: &config, Code: &types.FunctionCodeLocation{RepositoryType: aws.String("S3")}}
	if fn.reserved != nil {
		out.Concurrency = &types.Concurrency{ReservedConcurrentExecutions: fn.reserved}
	}
	return out, nil
}

// updateFunction changes what a function consists of. Lambda shows the new values at once, and
// for a while that it is busy with them. Source: AWS Lambda Developer Guide, "Lambda
// function states".
func (c *request) updateFunction(name *string, change func(*types.FunctionConfiguration)) (*types.FunctionConfiguration, error) {
	fn, arn, _, err := c.function(name, nil)
	if err == nil && fn == nil {
		err = refuse("ResourceNotFoundException", "Function not found: %s", arn)
	}
	if err != nil {
		return nil, err
	}
	change(&fn.config)
	fn.config.RevisionId, fn.config.LastModified = aws.String(c.newID("revision")), aws.String(c.now().UTC().Format(functionTime))
	fn.config.LastUpdateStatus = types.LastUpdateStatusInProgress
	c.wrote(arn)
	config := fn.config
	return &config, nil
}

// updateFunctionCode replaces the code. Source: AWS Lambda API Reference,
// UpdateFunctionCode.
func updateFunctionCode(c *request, in *lambda.UpdateFunctionCodeInput) (*lambda.UpdateFunctionCodeOutput, error) {
	now, err := c.updateFunction(in.FunctionName, func(f *types.FunctionConfiguration) {
		f.CodeSha256, f.CodeSize = aws.String(codeSum(in.ZipFile)), int64(len(in.ZipFile))
	})
	if err != nil {
		return nil, err
	}
	return &lambda.UpdateFunctionCodeOutput{FunctionArn: now.FunctionArn, CodeSha256: now.CodeSha256, LastModified: now.LastModified, LastUpdateStatus: now.LastUpdateStatus}, nil
}

// updateFunctionConfiguration replaces the settings that the request has. Source: AWS
// Lambda API Reference, UpdateFunctionConfiguration.
func updateFunctionConfiguration(c *request, in *lambda.UpdateFunctionConfigurationInput) (*lambda.UpdateFunctionConfigurationOutput, error) {
	now, err := c.updateFunction(in.FunctionName, func(f *types.FunctionConfiguration) {
		f.Role, f.Handler, f.KMSKeyArn = cmp.Or(in.Role, f.Role), cmp.Or(in.Handler, f.Handler), cmp.Or(in.KMSKeyArn, f.KMSKeyArn)
		f.Timeout, f.MemorySize = cmp.Or(in.Timeout, f.Timeout), cmp.Or(in.MemorySize, f.MemorySize)
		if in.Environment != nil {
			f.Environment = &types.EnvironmentResponse{Variables: maps.Clone(in.Environment.Variables)}
		}
		if in.Layers != nil {
			f.Layers = nil
			for _, arn := range in.Layers {
				f.Layers = append(f.Layers, types.Layer{Arn: aws.String(arn), CodeSize: 1})
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return &lambda.UpdateFunctionConfigurationOutput{FunctionArn: now.FunctionArn, LastModified: now.LastModified, LastUpdateStatus: now.LastUpdateStatus}, nil
}

// DeleteFunction deletes a function with its policies.
func (a *Account) DeleteFunction(regionName, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.regions[regionName].functions, name)
}

// functionRef matches the forms in which a function is named. Source: AWS Lambda
// API Reference, GetPolicy, FunctionName.
var functionRef = regexp.MustCompile(`^(?:(?:arn:[a-z-]+:lambda:)?(?:([a-z0-9-]+):)?(?:(\d{12}):)?function:|(\d{12}):function:)?([A-Za-z0-9_-]+)(?::(\$LATEST|[A-Za-z0-9_-]+))?$`)

// function returns a function by its name, ARN or partial ARN, and the version or
// alias that the name or the qualifier gives, "" for none. fn is nil if there is
// no such function, version or alias. Source of the refusal: recorded 2025-11-25
// (localstack/localstack).
func (c *request) function(name, qualifier *string) (fn *function, arn, which string, err error) {
	m := functionRef.FindStringSubmatch(*name)
	if m == nil || m[1] != "" && m[1] != c.name {
		return nil, "", "", refuse("ValidationException", "Value '%s' at 'functionName' failed to satisfy constraint", *name)
	}
	which = m[5]
	if q := aws.ToString(qualifier); q != "" {
		if which != "" && which != q {
			return nil, "", "", refuse("InvalidParameterValueException", "The derived qualifier from the function name does not match the specified qualifier.")
		}
		which = q
	}
	arn = c.arn("lambda", c.name, "function:"+m[4])
	if which != "" {
		arn += ":" + which
	}
	fn = c.functions[m[4]]
	if owner := m[2] + m[3]; owner != "" && owner != c.ID || fn != nil && which != "" && which != latest && !slices.Contains(fn.qualifiers, which) {
		fn = nil
	}
	return fn, arn, which, nil
}

const latest = "$LATEST"

// addPermission adds a statement to a policy. Sources: AWS Lambda API Reference,
// AddPermission; the form of the statement and the refusals, recorded 2025-11-25
// (localstack/localstack).
func addPermission(c *request, in *lambda.AddPermissionInput) (*lambda.AddPermissionOutput, error) {
	fn, arn, which, err := c.function(in.FunctionName, in.Qualifier)
	switch {
	case err != nil:
		return nil, err
	case which == latest:
		return nil, refuse("InvalidParameterValueException", "We currently do not support adding policies for $LATEST.")
	case fn == nil:
		return nil, refuse("ResourceNotFoundException", "Function not found: %s", arn)
	}
	var principal any = map[string]string{"AWS": *in.Principal}
	switch {
	case *in.Principal == "*":
		principal = "*"
	case strings.Contains(*in.Principal, ".amazonaws.com"):
		principal = map[string]string{"Service": *in.Principal}
	}
	condition := map[string]map[string]string{}
	if in.SourceArn != nil {
		condition["ArnLike"] = map[string]string{"AWS:SourceArn": *in.SourceArn}
	}
	if in.SourceAccount != nil {
		condition["StringEquals"] = map[string]string{"AWS:SourceAccount": *in.SourceAccount}
	}
	st := map[string]any{"Sid": *in.StatementId, "Effect": "Allow", "Principal": principal, "Action": *in.Action, "Resource": arn}
	if len(condition) > 0 {
		st["Condition"] = condition
	}
	statements := fn.statements(which)
	if slices.ContainsFunc(statements, sid(*in.StatementId)) {
		return nil, refuse("ResourceConflictException", "The statement id (%s) provided already exists.", *in.StatementId)
	}
	fn.setStatements(which, append(statements, st))
	c.wrote(arn)
	return &lambda.AddPermissionOutput{Statement: aws.String(text(st))}, nil
}

// statements returns the statements of a policy.
func (f *function) statements(which string) (all []any) {
	if f.policies[which] == "" {
		return nil
	}
	var p struct{ Statement []any }
	if err := json.Unmarshal([]byte(f.policies[which]), &p); err != nil {
		panic("awstest: a function's policy is no JSON: " + err.Error())
	}
	return p.Statement
}

// setStatements replaces the statements of a policy; without any there is no
// policy. Source: recorded 2025-11-25 (localstack/localstack).
func (f *function) setStatements(which string, all []any) {
	if len(all) == 0 {
		delete(f.policies, which)
		return
	}
	f.policies[which] = text(map[string]any{"Version": "2012-10-17", "Id": "default", "Statement": all})
}

func sid(id string) func(any) bool {
	return func(st any) bool {
		object, _ := st.(map[string]any)
		return object["Sid"] == id
	}
}

// removeFunctionPermission removes a statement. Source of the codes: recorded 2025-11-25
// (localstack/localstack).
func removeFunctionPermission(c *request, in *lambda.RemovePermissionInput) error {
	fn, arn, which, err := c.function(in.FunctionName, in.Qualifier)
	switch {
	case err != nil:
		return err
	case fn == nil || fn.policies[which] == "":
		return refuse("ResourceNotFoundException", "No policy is associated with the given resource.")
	}
	statements := fn.statements(which)
	if !slices.ContainsFunc(statements, sid(*in.StatementId)) {
		return refuse("ResourceNotFoundException", "Statement %s is not found in resource policy.", *in.StatementId)
	}
	fn.setStatements(which, slices.DeleteFunc(statements, sid(*in.StatementId)))
	c.wrote(arn)
	return nil
}

var errNoPolicy = refuse("ResourceNotFoundException", "The resource you requested does not exist.")

// getFunctionPolicy returns a policy. It refuses a function without one as one that does
// not exist. Source: recorded 2025-11-25 (localstack/localstack).
func getFunctionPolicy(c *request, in *lambda.GetPolicyInput) (*lambda.GetPolicyOutput, error) {
	fn, _, which, err := c.function(in.FunctionName, in.Qualifier)
	switch {
	case err != nil:
		return nil, err
	case fn == nil || fn.policies[which] == "":
		return nil, errNoPolicy
	}
	return &lambda.GetPolicyOutput{Policy: aws.String(fn.policies[which])}, nil
}

// putResourcePolicy replaces a policy. Source: AWS Lambda Developer Guide,
// "Working with resource-based policies in Lambda".
func putResourcePolicy(c *request, in *lambda.PutResourcePolicyInput) (*lambda.PutResourcePolicyOutput, error) {
	fn, arn, which, err := c.function(in.ResourceArn, nil)
	switch {
	case err != nil:
		return nil, err
	case fn == nil:
		return nil, refuse("ResourceNotFoundException", "Function not found: %s", arn)
	case !json.Valid([]byte(*in.Policy)) || len(*in.Policy) > 20480:
		return nil, refuse("InvalidParameterValueException", "The policy is not valid")
	}
	fn.policies[which] = *in.Policy
	c.wrote(arn)
	return &lambda.PutResourcePolicyOutput{Policy: in.Policy}, nil
}

// Source of both: AWS Lambda API Reference, PutFunctionConcurrency and
// DeleteFunctionConcurrency.
func putConcurrency(c *request, in *lambda.PutFunctionConcurrencyInput) (*lambda.PutFunctionConcurrencyOutput, error) {
	fn, arn, _, err := c.function(in.FunctionName, nil)
	if err == nil && fn == nil {
		err = refuse("ResourceNotFoundException", "Function not found: %s", arn)
	}
	if err != nil {
		return nil, err
	}
	fn.reserved = in.ReservedConcurrentExecutions
	c.wrote(arn)
	return &lambda.PutFunctionConcurrencyOutput{ReservedConcurrentExecutions: fn.reserved}, nil
}

func deleteConcurrency(c *request, in *lambda.DeleteFunctionConcurrencyInput) error {
	fn, arn, _, err := c.function(in.FunctionName, nil)
	if err == nil && fn == nil {
		err = refuse("ResourceNotFoundException", "Function not found: %s", arn)
	}
	if err == nil {
		fn.reserved = nil
		c.wrote(arn)
	}
	return err
}

// MappingsOf returns the IDs of the mappings that read a queue.
func (a *Account) MappingsOf(regionName, queue string) (ids []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(a.regions[regionName].mappings)) {
		if *a.regions[regionName].mappings[id].EventSourceArn == a.arn("sqs", regionName, queue) {
			ids = append(ids, id)
		}
	}
	return ids
}

// mappingState leaves out what Lambda makes up.
func mappingState(m *types.EventSourceMappingConfiguration) map[string]any {
	return map[string]any{
		"on": m.State, "batch": m.BatchSize, "window": m.MaximumBatchingWindowInSeconds, "scaling": m.ScalingConfig, "partial": m.FunctionResponseTypes, "filter": m.FilterCriteria,
	}
}

func listMappings(c *request, in *lambda.ListEventSourceMappingsInput) (*lambda.ListEventSourceMappingsOutput, error) {
	found := map[string]types.EventSourceMappingConfiguration{}
	for id, m := range c.mappings {
		if in.EventSourceArn == nil || *in.EventSourceArn == *m.EventSourceArn {
			found[id] = *m
		}
	}
	out := &lambda.ListEventSourceMappingsOutput{}
	var err error
	out.EventSourceMappings, out.NextMarker, err = paged(c, page{
		token: in.Marker, ask: in.MaxItems, least: 1, most: 10000, usual: 100, limit: "InvalidParameterValueException", bad: "InvalidParameterValueException",
	}, found)
	return out, err
}

// createMapping creates a mapping. A function can have one with each queue. Source:
// AWS Lambda API Reference, CreateEventSourceMapping.
func createMapping(c *request, in *lambda.CreateEventSourceMappingInput) (*lambda.CreateEventSourceMappingOutput, error) {
	fn, arn, _, err := c.function(in.FunctionName, nil)
	if err == nil && fn == nil {
		err = refuse("InvalidParameterValueException", "Function not found: %s", arn)
	}
	if err != nil {
		return nil, err
	}
	for _, m := range c.mappings {
		if *m.EventSourceArn == aws.ToString(in.EventSourceArn) && *m.FunctionArn == arn {
			return nil, refuse("ResourceConflictException", "The event source arn (%q) and function (%q) provided mapping already exists.", *m.EventSourceArn, arn)
		}
	}
	m := &types.EventSourceMappingConfiguration{
		UUID: aws.String(c.newID("mapping")), EventSourceArn: in.EventSourceArn, FunctionArn: aws.String(arn),
		BatchSize: aws.Int32(10), MaximumBatchingWindowInSeconds: aws.Int32(0), FunctionResponseTypes: in.FunctionResponseTypes,
	}
	setMapping(m, in.Enabled == nil || *in.Enabled, in.BatchSize, in.MaximumBatchingWindowInSeconds, in.ScalingConfig, in.FilterCriteria)
	c.mappings[*m.UUID] = m
	c.wrote(*m.EventSourceArn)
	return &lambda.CreateEventSourceMappingOutput{UUID: m.UUID, EventSourceArn: m.EventSourceArn, FunctionArn: m.FunctionArn, State: m.State}, nil
}

// setMapping changes what is given. Filter criteria without filters remove the
// earlier ones. Source: AWS Lambda Developer Guide, "Attaching filter criteria to an
// event source mapping".
func setMapping(m *types.EventSourceMappingConfiguration, on bool, batch, window *int32, scaling *types.ScalingConfig, filter *types.FilterCriteria) {
	m.State = aws.String("Disabled")
	if on {
		m.State = aws.String("Enabled")
	}
	if batch != nil {
		m.BatchSize = batch
	}
	if window != nil {
		m.MaximumBatchingWindowInSeconds = window
	}
	if scaling != nil {
		m.ScalingConfig = scaling
	}
	if filter != nil {
		m.FilterCriteria = filter
	}
	if m.FilterCriteria != nil && len(m.FilterCriteria.Filters) == 0 {
		m.FilterCriteria = nil
	}
}

func (c *request) mapping(id *string) (*types.EventSourceMappingConfiguration, error) {
	if m := c.mappings[*id]; m != nil {
		return m, nil
	}
	return nil, refuse("ResourceNotFoundException", "The resource you requested does not exist.")
}

func updateMapping(c *request, in *lambda.UpdateEventSourceMappingInput) (*lambda.UpdateEventSourceMappingOutput, error) {
	m, err := c.mapping(in.UUID)
	if err != nil {
		return nil, err
	}
	if in.FunctionName != nil {
		fn, arn, _, err := c.function(in.FunctionName, nil)
		if err == nil && fn == nil {
			err = refuse("InvalidParameterValueException", "Function not found: %s", arn)
		}
		if err != nil {
			return nil, err
		}
		m.FunctionArn = aws.String(arn)
	}
	on := *m.State == "Enabled"
	if in.Enabled != nil {
		on = *in.Enabled
	}
	if in.FunctionResponseTypes != nil {
		m.FunctionResponseTypes = in.FunctionResponseTypes
	}
	setMapping(m, on, in.BatchSize, in.MaximumBatchingWindowInSeconds, in.ScalingConfig, in.FilterCriteria)
	c.wrote(*m.EventSourceArn)
	return &lambda.UpdateEventSourceMappingOutput{UUID: m.UUID, EventSourceArn: m.EventSourceArn, FunctionArn: m.FunctionArn, State: m.State}, nil
}

func deleteMapping(c *request, in *lambda.DeleteEventSourceMappingInput) (*lambda.DeleteEventSourceMappingOutput, error) {
	m, err := c.mapping(in.UUID)
	if err != nil {
		return nil, err
	}
	delete(c.mappings, *in.UUID)
	c.wrote(*m.EventSourceArn)
	return &lambda.DeleteEventSourceMappingOutput{UUID: m.UUID, EventSourceArn: m.EventSourceArn, FunctionArn: m.FunctionArn, State: aws.String("Deleting")}, nil
}

// functionOperations are the operations that this file answers.
var functionOperations = []operation{
	handle(addPermission),
	act[lambda.RemovePermissionOutput](removeFunctionPermission),
	handle(getFunctionPolicy),
	handle(putResourcePolicy),
	handle(getFunction),
	handle(updateFunctionCode),
	handle(updateFunctionConfiguration),
	handle(putConcurrency),
	act[lambda.DeleteFunctionConcurrencyOutput](deleteConcurrency),
	handle(listMappings),
	handle(createMapping),
	handle(updateMapping),
	handle(deleteMapping),
}
