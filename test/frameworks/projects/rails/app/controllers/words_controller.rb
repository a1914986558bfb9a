class WordsController < ActionController::Base
  SAID = []

  def index
    @said = SAID.join(", ")
    render inline: <<~ERB
      <h1>Hello from Rails</h1><p><%= @said %></p>
      <%= form_with url: "/words", local: true do |form| %>
        <%= form.text_field :word %><button>Say</button>
      <% end %>
    ERB
  end

  def create
    SAID << params[:word]
    redirect_to root_url
  end
end
