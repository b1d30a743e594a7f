-- The twelve tables as the product was asked for; test_seed.py holds the migrated Postgres against them.

-- Users Table (`users`)
CREATE TABLE users (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    email VARCHAR(255) UNIQUE NOT NULL,
    full_name VARCHAR(255),
    password_hash VARCHAR(255) NOT NULL,
    role VARCHAR(50),
    credential TEXT,
    temp_token TEXT,
    token_expiry TIMESTAMP WITH TIME ZONE,
    status VARCHAR(50) NOT NULL DEFAULT 'active',
    active_workspace_id UUID,
    last_login TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
);

-- Indexes for performance
CREATE INDEX idx_users_email ON users(email);
CREATE INDEX idx_users_status ON users(status);
CREATE INDEX idx_users_created_at ON users(created_at);

-- Triggers for updated_at
CREATE OR REPLACE FUNCTION update_updated_at_column()
RETURNS TRIGGER AS $$
BEGIN
    NEW.updated_at = NOW();
    RETURN NEW;
END;
$$ language 'plpgsql';

CREATE TRIGGER update_users_updated_at BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- Workflows Table (`workflows`)
CREATE TABLE workflows (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id UUID NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    name VARCHAR(255) NOT NULL,
    description TEXT,
    is_public BOOLEAN DEFAULT FALSE,
    version INTEGER DEFAULT 1,
    flow_data JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
);

-- Indexes for performance
CREATE INDEX idx_workflows_user_id ON workflows(user_id);
CREATE INDEX idx_workflows_is_public ON workflows(is_public);
CREATE INDEX idx_workflows_name ON workflows(name);
CREATE INDEX idx_workflows_created_at ON workflows(created_at);

-- JSONB indexes for flow_data queries
CREATE INDEX idx_workflows_flow_data_gin ON workflows USING GIN (flow_data);

-- Trigger for updated_at
CREATE TRIGGER update_workflows_updated_at BEFORE UPDATE ON workflows
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- Workflow Templates Table (`workflow_templates`)
CREATE TABLE workflow_templates (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name VARCHAR(255) NOT NULL,
    description TEXT,
    category VARCHAR(100) DEFAULT 'General',
    flow_data JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
);

-- Indexes
CREATE INDEX idx_workflow_templates_category ON workflow_templates(category);
CREATE INDEX idx_workflow_templates_name ON workflow_templates(name);
CREATE INDEX idx_workflow_templates_flow_data_gin ON workflow_templates USING GIN (flow_data);

-- Workflow Executions Table (`workflow_executions`)
CREATE TABLE workflow_executions (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_id UUID NOT NULL REFERENCES workflows(id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    status VARCHAR(50) NOT NULL DEFAULT 'pending',
    inputs JSONB,
    outputs JSONB,
    error_message TEXT,
    started_at TIMESTAMP WITH TIME ZONE,
    completed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
);

-- Indexes for performance and analytics
CREATE INDEX idx_workflow_executions_workflow_id ON workflow_executions(workflow_id);
CREATE INDEX idx_workflow_executions_user_id ON workflow_executions(user_id);
CREATE INDEX idx_workflow_executions_status ON workflow_executions(status);
CREATE INDEX idx_workflow_executions_created_at ON workflow_executions(created_at);
CREATE INDEX idx_workflow_executions_started_at ON workflow_executions(started_at);

-- Composite indexes for complex queries
CREATE INDEX idx_workflow_executions_user_status ON workflow_executions(user_id, status);
CREATE INDEX idx_workflow_executions_workflow_status ON workflow_executions(workflow_id, status);

-- JSONB indexes for inputs/outputs analysis
CREATE INDEX idx_workflow_executions_inputs_gin ON workflow_executions USING GIN (inputs);
CREATE INDEX idx_workflow_executions_outputs_gin ON workflow_executions USING GIN (outputs);

-- Execution Checkpoints Table (`execution_checkpoints`)
CREATE TABLE execution_checkpoints (
    execution_id UUID PRIMARY KEY REFERENCES workflow_executions(id) ON DELETE CASCADE,
    checkpoint_data JSONB NOT NULL,
    parent_checkpoint_id UUID,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
);

-- Indexes
CREATE INDEX idx_execution_checkpoints_parent ON execution_checkpoints(parent_checkpoint_id);
CREATE INDEX idx_execution_checkpoints_data_gin ON execution_checkpoints USING GIN (checkpoint_data);

-- Trigger for updated_at
CREATE TRIGGER update_execution_checkpoints_updated_at BEFORE UPDATE ON execution_checkpoints
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- User Credentials Table (`user_credentials`)
CREATE TABLE user_credentials (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id UUID NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    name VARCHAR(100) NOT NULL,
    service_type VARCHAR(50) NOT NULL,
    encrypted_secret TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    
    -- Ensure unique credential names per user
    CONSTRAINT unique_user_credential_name UNIQUE (user_id, name)
);

-- Indexes
CREATE INDEX idx_user_credentials_user_id ON user_credentials(user_id);
CREATE INDEX idx_user_credentials_service_type ON user_credentials(service_type);

-- Trigger for updated_at
CREATE TRIGGER update_user_credentials_updated_at BEFORE UPDATE ON user_credentials
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- Organizations Table (`organization`)
CREATE TABLE organization (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name VARCHAR(255) NOT NULL,
    admin_user_id UUID REFERENCES users(id),
    default_ws_id UUID,
    organization_type VARCHAR(100),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
);

-- Indexes
CREATE INDEX idx_organization_admin_user_id ON organization(admin_user_id);
CREATE INDEX idx_organization_name ON organization(name);

-- Trigger for updated_at
CREATE TRIGGER update_organization_updated_at BEFORE UPDATE ON organization
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- Roles Table (`roles`)
CREATE TABLE roles (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name VARCHAR(100) NOT NULL UNIQUE,
    description VARCHAR(500),
    permissions TEXT
);

-- Insert default roles
INSERT INTO roles (name, description, permissions) VALUES
('admin', 'Full system administrator', 'all'),
('user', 'Standard user with workflow creation', 'create_workflow,execute_workflow,manage_credentials'),
('viewer', 'Read-only access to shared workflows', 'view_workflows,execute_public_workflows');

-- Organization Users Table (`organization_user`)
CREATE TABLE organization_user (
    organization_id UUID REFERENCES organization(id) ON DELETE CASCADE,
    user_id UUID REFERENCES users(id) ON DELETE CASCADE,
    role_id UUID NOT NULL REFERENCES roles(id),
    status VARCHAR(20) NOT NULL DEFAULT 'ACTIVE',
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    created_by UUID NOT NULL REFERENCES users(id),
    updated_by UUID NOT NULL REFERENCES users(id),
    
    PRIMARY KEY (organization_id, user_id)
);

-- Indexes
CREATE INDEX idx_organization_user_role_id ON organization_user(role_id);
CREATE INDEX idx_organization_user_status ON organization_user(status);

-- Trigger for updated_at
CREATE TRIGGER update_organization_user_updated_at BEFORE UPDATE ON organization_user
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- Login Methods Table (`login_method`)
CREATE TABLE login_method (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id UUID REFERENCES organization(id) ON DELETE CASCADE,
    name VARCHAR(100) NOT NULL,
    config TEXT NOT NULL,
    status VARCHAR(20) NOT NULL DEFAULT 'ENABLE',
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    created_by UUID REFERENCES users(id),
    updated_by UUID REFERENCES users(id)
);

-- Indexes
CREATE INDEX idx_login_method_organization_id ON login_method(organization_id);
CREATE INDEX idx_login_method_status ON login_method(status);

-- Trigger for updated_at
CREATE TRIGGER update_login_method_updated_at BEFORE UPDATE ON login_method
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- Login Activity Table (`login_activity`)
CREATE TABLE login_activity (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    username VARCHAR(255) NOT NULL,
    activity_code INTEGER NOT NULL,
    message VARCHAR(500) NOT NULL,
    attempted_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
);

-- Indexes for security monitoring
CREATE INDEX idx_login_activity_username ON login_activity(username);
CREATE INDEX idx_login_activity_attempted_at ON login_activity(attempted_at);
CREATE INDEX idx_login_activity_activity_code ON login_activity(activity_code);

-- Composite index for security analysis
CREATE INDEX idx_login_activity_username_attempted ON login_activity(username, attempted_at);

-- Chat Messages Table (`chat_message`)
CREATE TABLE chat_message (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    role VARCHAR(255) NOT NULL,
    chatflow_id UUID NOT NULL,
    content TEXT NOT NULL,
    source_documents VARCHAR(255),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
);

-- Indexes
CREATE INDEX idx_chat_message_chatflow_id ON chat_message(chatflow_id);
CREATE INDEX idx_chat_message_role ON chat_message(role);
CREATE INDEX idx_chat_message_created_at ON chat_message(created_at);

-- Composite index for chat history retrieval
CREATE INDEX idx_chat_message_chatflow_created ON chat_message(chatflow_id, created_at);
